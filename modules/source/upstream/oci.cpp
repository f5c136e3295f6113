// modules/source/upstream/oci.cpp: from an OCIRepository's fields to a layer, and from a layer to an artifact.
#include "modules/source/upstream/oci.hpp"

#include "modules/base/json_text.hpp"
#include "modules/base/mask.hpp"
#include "modules/base/on_pool.hpp"
#include "modules/kube/object.hpp"
#include "modules/model/kinds/oci_repository.hpp"
#include "modules/model/members.hpp"
#include "modules/source/upstream/keep.hpp"

#include <utility>

namespace holdfast::source {

using model::OciRepositorySpec;

namespace {

std::string_view reason_of(ImageStep step) {
    switch (step) {
        case ImageStep::tag: return "ReadOperationFailed";
        case ImageStep::digest:
        case ImageStep::pull: return "OCIArtifactPullFailed";
        case ImageStep::layer: return "OCIArtifactLayerOperationFailed";
        case ImageStep::storage: return "ArchiveOperationFailed";
    }
    return "OCIArtifactPullFailed";
}

/// What a Secret says of registries; one of another type says nothing, as with Flux.
Result<void> add_logins(json::object const& secret, oci::Keyring& logins) {
    auto const type = kube::find_string(secret, {"type"});
    auto const config = secret_text(secret, {".dockerconfigjson"});
    auto const auths = secret_text(secret, {".dockercfg"});
    if (type == "kubernetes.io/dockerconfigjson" && !config.empty()) return logins.add_config(config);
    if (type == "kubernetes.io/dockercfg" && !auths.empty()) return logins.add_auths(auths);
    return {};
}

Miss not_authenticated(Error error) { return {.error = std::move(error), .reason = "AuthenticationFailed"}; }

/// Whom to ask, and with which logins and certificates.
std::expected<oci::Remote, Miss> remote_of(OciRepositorySpec const& spec, Request const& request) {
    auto name = oci::parse_name(spec.url);
    if (!name) return std::unexpected{Miss{.error = std::move(name).error(), .reason = "URLInvalid"}};
    oci::Remote remote{.name = std::move(*name), .insecure = spec.insecure};
    Result<void> read;
    if (auto const* secret = request.secret(spec.secret_name)) read = add_logins(*secret, remote.logins);
    for (std::size_t i = 0; read && i < request.pull_secrets.size(); ++i)
        read = add_logins(request.pull_secrets[i], remote.logins);
    if (!read) return std::unexpected{not_authenticated(std::move(read).error().in("failed to get credential"))};
    auto const* secret = request.secret(spec.cert_secret_name);
    if (secret == nullptr) return remote;
    remote.certificates = {.ca_pem = secret_text(*secret, {"ca.crt", "caFile"}),
                           .certificate_pem = secret_text(*secret, {"tls.crt", "certFile"}),
                           .key_pem = secret_text(*secret, {"tls.key", "keyFile"})};
    auto const& own = remote.certificates;
    std::string const place = "secret '" + request.key.ns + "/" + spec.cert_secret_name + "'";
    std::string const step = "failed to generate transport for '" + spec.url + "'";
    std::string problem;
    if (!own.certificate_pem.empty() && own.key_pem.empty()) problem = " contains 'tls.crt' but missing 'tls.key'";
    if (own.certificate_pem.empty() && !own.key_pem.empty()) problem = " contains 'tls.key' but missing 'tls.crt'";
    if (own.ca_pem.empty() && own.certificate_pem.empty() && own.key_pem.empty())
        problem = " must contain either 'ca.crt' or both 'tls.crt' and 'tls.key'";
    if (!problem.empty())
        return std::unexpected{not_authenticated({Errc::invalid_input, step + ": " + place + problem})};
    if (!own.ca_pem.empty() && !http::TlsContext::client({.ca_pem = own.ca_pem}))
        return std::unexpected{not_authenticated({Errc::invalid_input, step + ": failed to parse CA certificate"})};
    auto const tls = http::TlsContext::client(
        {.ca_pem = own.ca_pem, .certificate_pem = own.certificate_pem, .key_pem = own.key_pem});
    if (!tls) return std::unexpected{not_authenticated(Error{tls.error()}.in(step))};
    return remote;
}

/// What no registry has to be asked about.
std::optional<Miss> problem_of(OciRepositorySpec const& spec) {
    auto checked = spec.digest.empty() ? Result<void>{} : oci::check_digest(spec.digest);
    bool const is_tag_wished = spec.digest.empty() && spec.semver.empty() && !spec.tag.empty();
    if (checked && is_tag_wished && !oci::is_tag(spec.tag)) {
        checked = fail(Errc::invalid_input,
                       "tag can only hold letters, digits, '_', '-' and '.', at most 128 of them: " + spec.tag);
    }
    if (checked) return std::nullopt;
    return Miss{.error = std::move(checked).error().in("failed to determine artifact digest"),
                .reason = "OCIArtifactPullFailed"};
}

/// Of the Event, with what the artifact says about where it was made.
std::string news_of(std::string const& revision, std::string const& url, std::string const& metadata) {
    std::string text = "stored artifact with revision '" + revision + "' from '" + url + "'";
    auto const parsed = parse_json(metadata.empty() ? "{}" : metadata);
    auto const* said = parsed ? parsed->if_object() : nullptr;
    if (said == nullptr) return text;
    auto const source = model::text_at(*said, "org.opencontainers.image.source");
    auto const origin = model::text_at(*said, "org.opencontainers.image.revision");
    if (source.empty() || origin.empty()) return text;
    return text + ", origin source '" + source + "', origin revision '" + origin + "'";
}

}  // namespace

Wish OciUpstream::read(model::Spec const& spec) const {
    auto const& oci = spec.as<OciRepositorySpec>();
    auto const name = oci::parse_name(oci.url);
    std::string question = oci.url;
    for (auto const* part : {&oci.digest, &oci.semver, &oci.semver_filter, &oci.tag, &oci.layer_media_type})
        question += "\n" + *part;
    question += oci.copies_layer ? "\ncopy" : "\nextract";
    if (oci.ignore) question += "\nignore " + *oci.ignore;
    std::vector<SecretWish> secrets;
    if (!oci.secret_name.empty()) secrets.push_back({.name = oci.secret_name, .step = "failed to get credential"});
    if (!oci.cert_secret_name.empty()) {
        secrets.push_back({.name = oci.cert_secret_name,
                           .step = "failed to generate transport for '" + mask_url(oci.url) + "'",
                           .is_terse = true});
    }
    return {.host = name ? name->registry : "",
            .interval = oci.interval,
            .timeout = oci.timeout,
            .secrets = std::move(secrets),
            .account = oci.service_account,
            .question = std::move(question),
            .ignore = oci.ignore,
            .layer_selector = oci.layer_selector};
}

std::optional<Refusal> OciUpstream::refuses(model::Spec const& spec) const {
    auto const& oci = spec.as<OciRepositorySpec>();
    auto const name = oci::parse_name(oci.url);
    if (name) return std::nullopt;
    return Refusal{"URLInvalid", "URL validation failed for '" + mask_url(oci.url) + "': " + name.error().message};
}

asio::awaitable<Answer> OciUpstream::fetch(Request request) {
    auto work = [this, request = std::move(request)] { return fetch_now(request); };
    co_return co_await on_pool(pool_, std::move(work));
}

Answer OciUpstream::fetch_now(Request const& request) const {
    auto const& spec = request.spec.as<OciRepositorySpec>();
    auto remote = remote_of(spec, request);
    if (!remote) return std::unexpected{std::move(remote).error()};
    if (auto problem = problem_of(spec)) return std::unexpected{std::move(*problem)};
    ImageWish const wish{.url = spec.url,
                         .remote = std::move(*remote),
                         .digest = spec.digest,
                         .semver = spec.semver,
                         .semver_filter = spec.semver_filter,
                         .tag = spec.tag,
                         .media_type = spec.layer_media_type,
                         .copy = spec.copies_layer,
                         .known = request.known,
                         .ignore = spec.ignore,
                         .timeout = request.timeout,
                         .wire_bytes_max = settings_.wire_bytes_max};
    Keep keep{request};
    auto const image = fetch_(wish, {.scratch = settings_.scratch, .reach = settings_.reach, .stop = stop_},
                              [&](std::string_view piece) { return keep.write(piece); });
    if (!image && image.error().step == ImageStep::storage) return not_kept(image.error().error);
    if (!image) {
        return std::unexpected{
            Miss{.error = image.error().error, .reason = std::string{reason_of(image.error().step)}}};
    }
    auto const at = image->revision.find('@');
    Fetched fetched{.revision = image->revision,
                    .stored = "stored artifact for digest '" + image->revision + "'",
                    .news = news_of(image->revision, spec.url, image->is_news ? image->metadata : request.metadata),
                    .up_to_date = "artifact up-to-date with remote revision: '" + image->revision + "'",
                    .file = image->revision.substr(at == std::string::npos ? 0 : at + 1) + ".tar.gz",
                    .metadata = image->metadata};
    if (!image->is_news) return fetched;
    auto kept = keep.finish(image->digest, fetched);
    if (!kept) return std::unexpected{std::move(kept).error()};
    return fetched;
}

}  // namespace holdfast::source
