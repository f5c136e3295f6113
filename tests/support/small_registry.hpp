// tests/support/small_registry.hpp: a registry with what a test puts into it, on a server that remembers what it was asked.
#pragma once

#include "modules/crypto/digest.hpp"
#include "modules/source/artifact.hpp"
#include "tests/support/recording_server.hpp"
#include "tests/unit/modules/source/memory_tree.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::test {

inline constexpr std::string_view kManifestType = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kIndexType = "application/vnd.oci.image.index.v1+json";

inline std::string sha256_of(std::string_view text) { return "sha256:" + crypto::sha256_hex(text); }

/// A tar.gz of these files, by our own writer.
inline std::string layer_of(source::Tree& tree) {
    std::string bytes;
    auto const done = source::write_artifact(tree, "nothing-of-it\n", [&](std::string_view piece) -> Result<void> {
        bytes += piece;
        return {};
    });
    HOLDFAST_ASSERT(done.has_value());
    return bytes;
}

class SmallRegistry {
public:
    SmallRegistry() {
        server.answer([this](http::ServerRequest const& request) { return answer(request); });
    }

    /// Out  its digest
    std::string put(std::string const& tag, std::string text, std::string_view type = kManifestType) {
        auto digest = sha256_of(text);
        documents_[tag] = documents_[digest] = {std::move(text), std::string{type}};
        return digest;
    }
    std::string manifest(std::vector<std::pair<std::string, std::string>> const& layers, std::string const& more = "") {
        std::string list;
        for (auto const& [type, bytes] : layers) {
            blobs[sha256_of(bytes)] = bytes;
            list += (list.empty() ? "" : ",") + descriptor(type, bytes);
        }
        return R"({"schemaVersion":2,"layers":[)" + list + "]" + more + "}";
    }
    static std::string descriptor(std::string const& type, std::string const& bytes, std::string const& more = "") {
        return R"({"mediaType":")" + type + R"(","digest":")" + sha256_of(bytes) + R"(","size":)" +
               std::to_string(bytes.size()) + more + "}";
    }

    std::map<std::string, std::string> blobs;  // by digest; changed only while nobody asks
    std::string tags = R"({"tags":[]})";
    RecordingServer server;

private:
    http::Answer answer(http::ServerRequest const& request) const {
        auto const name = request.path.substr(request.path.rfind('/') + 1);
        if (request.path.ends_with("/tags/list")) return http::json_answer(200, tags);
        if (auto const blob = blobs.find(name); blob != blobs.end()) return http::text_answer(200, blob->second);
        auto const found = documents_.find(name);
        if (found == documents_.end())
            return http::json_answer(404, R"({"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]})");
        auto answer = http::text_answer(200, found->second.first, found->second.second);
        answer.headers.set("Docker-Content-Digest", sha256_of(found->second.first));
        return answer;
    }

    std::map<std::string, std::pair<std::string, std::string>> documents_;
};

}  // namespace holdfast::test
