// daemon/render_job.cpp: what a render worker does, with nothing but a descriptor and a request.
#include "daemon/remote_bases.hpp"
#include "daemon/worker_jobs.hpp"

#include "modules/base/memory_file.hpp"
#include "modules/crypto/digest.hpp"
#include "modules/kustomize/flux_generate.hpp"
#include "modules/source/untar.hpp"
#include "modules/yaml/json.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace holdfast::daemon {

namespace {

namespace json = boost::json;
constexpr std::string_view kRoot = "/artifact";  // where the tree stands in messages; nothing of the machine

kustomize::MemoryFiles view_of(source::FileMap const& tree) {
    kustomize::MemoryFiles files;
    files.emplace(std::string{kRoot} + "/", "");
    for (auto const& [path, file] : tree) files.emplace(std::string{kRoot} + "/" + path, file.content);
    return files;
}

/// In messages the tree's root is what users know: "./apps/web.yaml".
std::string without_root(std::string text) {
    std::string const root = std::string{kRoot} + "/";
    for (std::size_t at = text.find(root); at != std::string::npos; at = text.find(root, at))
        text.replace(at, root.size(), "./");
    for (std::size_t at = text.find(kRoot); at != std::string::npos; at = text.find(kRoot, at))
        text.replace(at, kRoot.size(), ".");
    return text;
}

}  // namespace

Result<std::string> render_job(int input_fd, json::object const& fields) {
    auto const input = Mapping::of(input_fd);
    if (!input) return std::unexpected{input.error()};
    auto const artifact_size = std::min(fields.at("artifactBytes").to_number<std::size_t>(), input->bytes().size());
    auto tree = source::untar(input->bytes().substr(0, artifact_size));
    if (!tree) return fail(std::move(tree), "artifact");
    auto const files = view_of(*tree);
    auto remotes = read_supplies(fields.at("remotes").as_array(), input->bytes().substr(artifact_size));
    if (!remotes) return fail(Errc::invalid_input, remotes.error().message);

    // SecureJoin: whatever the path says, it stays inside the artifact.
    std::string const path{fields.at("path").as_string()};
    std::string const inside = kustomize::join_path("/", path);
    std::string const directory = inside == "/" ? std::string{kRoot} : std::string{kRoot} + inside;
    kustomize::Options options;
    options.files = &files;
    options.root = kRoot;
    if (fields.at("remoteBases").as_bool()) options.remotes = &*remotes;
    options.remote_refusal = "remote bases are disallowed (no_remote_bases)";
    kustomize::Files look{options.root, {0, 0}, &files};
    auto const found = look.resolve(directory);
    if (!found || !found->file.empty()) {
        return fail(Errc::not_found,
                    "kustomization path not found: stat " + without_root(directory) + ": no such file or directory");
    }
    auto built = kustomize::build_flux(directory, fields.at("fields").as_object(), std::move(options));
    if (!remotes->missing().empty()) return json::serialize(json::object{{"missing", describe(remotes->missing())}});
    if (!built) {
        std::string const text = without_root(built.error().message);
        // Where Flux reads the manifests itself it has words of its own.
        bool const own_words =
            text.starts_with("failed to decode ") || text.starts_with("error converting YAML to JSON");
        return fail(built.error().code == Errc::limit ? Errc::limit : Errc::invalid_input,
                    own_words ? text : "kustomize build failed: " + text);
    }

    json::array objects;
    crypto::Sha256 digest;
    for (auto const& object : built->objects) {
        if (object.name.empty() || object.kind.empty() || object.api_version.empty()) {
            return fail(Errc::invalid_input,
                        "failed to decode Kubernetes apiVersion, kind and name of an object of kind '" + object.kind +
                            "' named '" + object.name + "': " +
                            (object.api_version.empty() ? "apiVersion"
                             : object.kind.empty()      ? "kind"
                                                        : "metadata.name") +
                            " is missing");
        }
        auto text = built->text_of(object);
        if (!text) return fail(std::move(text), "kustomize build failed");
        digest.update(*text);
        digest.update("---\n");
        auto value = yaml::read_sigs(*text);  // what is applied is what is printed, read as kubectl would
        if (!value) return fail(std::move(value), object.kind + "/" + object.name);
        objects.push_back(std::move(*value));
    }
    auto const sum = digest.finish();
    json::object const reply{{"digest", "sha256:" + crypto::hex(sum.data(), sum.size())},
                             {"objects", std::move(objects)}};
    return json::serialize(reply);
}

}  // namespace holdfast::daemon
