// tests/unit/modules/source/memory_store.hpp: a source::ArtifactStore in memory that can be full, and lose what it was given.
#pragma once

#include "modules/crypto/digest.hpp"
#include "modules/source/ports.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::source {

class MemoryStore final : public ArtifactStore {
public:
    std::vector<StoredArtifact> rows;
    std::map<std::string, std::string> blobs;  // by digest
    std::vector<std::string> forgotten;
    std::optional<Error> refuse;  // every write
    std::optional<Error> refuse_forget;

    class Writer final : public ArtifactWriter {
    public:
        explicit Writer(MemoryStore& store) : store_(store) {}
        Result<void> write(std::string_view piece) override {
            if (store_.refuse) return fail(store_.refuse->code, store_.refuse->message);
            bytes_ += piece;
            return {};
        }
        Result<std::string> finish() override {
            crypto::Sha256 hash;
            hash.update(bytes_);
            auto const digest = hash.finish();
            auto name = "sha256:" + crypto::hex(digest.data(), digest.size());
            store_.blobs[name] = bytes_;
            return name;
        }

    private:
        MemoryStore& store_;
        std::string bytes_;
    };

    Result<std::unique_ptr<ArtifactWriter>> begin() override { return std::make_unique<Writer>(*this); }
    bool has(std::string const& digest) override { return blobs.contains(digest); }
    Result<std::uint64_t> size(std::string const& digest) override {
        auto const found = blobs.find(digest);
        if (found == blobs.end()) return fail(Errc::corrupt, "blob " + digest + " is missing");
        return found->second.size();
    }
    Result<void> read(std::string const& digest, Sink const& sink) override {
        auto const found = blobs.find(digest);
        if (found == blobs.end()) return fail(Errc::corrupt, "blob " + digest + " is missing");
        return sink(found->second);
    }
    Result<void> record(StoredArtifact const& artifact) override {
        rows.push_back(artifact);
        return {};
    }
    Result<std::optional<StoredArtifact>> newest(std::string const& source) override {
        std::optional<StoredArtifact> found;
        for (auto const& row : rows) {
            if (row.source == source) found = row;
        }
        return found;
    }
    Result<std::vector<StoredArtifact>> revisions(std::string const& source) override {
        std::vector<StoredArtifact> own;
        for (StoredArtifact const& row : rows) {
            if (row.source == source) own.push_back(row);
        }
        return own;
    }
    Result<void> forget(std::string const& source) override {
        if (refuse_forget) return fail(refuse_forget->code, refuse_forget->message);
        forgotten.push_back(source);
        return {};
    }
};

}  // namespace holdfast::source
