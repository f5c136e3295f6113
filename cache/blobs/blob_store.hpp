// cache/blobs/blob_store.hpp: files named by the SHA-256 of their bytes, whole and verified or not there.
// On disk: <directory>/<64 hex>, <directory>/tmp/ (emptied at start), <directory>/quarantine/ (a few damaged files).
#pragma once

#include "modules/base/error.hpp"
#include "modules/crypto/digest.hpp"
#include "modules/source/ports.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::cache {

class BlobWriter;

/// May be used from several threads. It must outlive its writers.
class BlobStore {
public:
    using Sink = std::function<Result<void>(std::string_view piece)>;

    /// Creates what is missing of `directory` (mode 0700) and counts what is there.
    /// Errors  denied, not_found (the parent), limit (disk full)
    static Result<std::unique_ptr<BlobStore>> open(std::filesystem::path const& directory, std::uint64_t bytes_max);

    ~BlobStore();
    BlobStore(BlobStore const&) = delete;
    BlobStore& operator=(BlobStore const&) = delete;

    Result<std::unique_ptr<BlobWriter>> begin();

    /// Is there a file of this name, whatever is in it?
    bool has(std::string_view digest) const;

    /// Errors  corrupt  no such file, or `digest` is none of ours
    Result<std::uint64_t> size(std::string const& digest) const;

    /// Hands the bytes to `sink` while hashing them: they count only when this returns success.
    /// Errors  corrupt  no such file, it does not match its digest and was moved to quarantine, or `digest` is none of
    ///                  ours ("sha256:" and 64 lower case hexadecimal digits); those of `sink`
    Result<void> read(std::string const& digest, Sink const& sink);

    /// False when the blob has a living writer, and then stays. A text that is no digest names no file: true.
    Result<bool> remove(std::string const& digest);

    /// The digests of all files, in no order.
    Result<std::vector<std::string>> list() const;

    std::uint64_t bytes_used() const;
    std::uint64_t bytes_max() const { return bytes_max_; }

private:
    friend class BlobWriter;
    BlobStore(int directory, int tmp, int quarantine, std::uint64_t bytes_max)
        : directory_{directory}, tmp_{tmp}, quarantine_{quarantine}, bytes_max_{bytes_max} {}

    Result<void> count();
    Result<void> reserve(std::uint64_t bytes);
    void release(std::uint64_t bytes);
    void forget(std::uint64_t bytes);  // under the mutex; a damaged file may be larger than what was counted
    void set_aside(std::string const& name);

    int directory_;
    int tmp_;
    int quarantine_;
    std::uint64_t const bytes_max_;
    mutable std::mutex mutex_;  // over what follows, and over every rename and unlink of a blob
    std::uint64_t bytes_used_ = 0;
    std::uint64_t next_tmp_ = 0;
    std::multiset<std::string> held_;  // names with a living writer
};

/// Writes to a file without a name in the store until finish().
class BlobWriter final : public source::ArtifactWriter {
public:
    ~BlobWriter() override;

    Result<void> write(std::string_view piece) override;
    Result<std::string> finish() override;
    std::uint64_t size() const { return size_; }

private:
    friend class BlobStore;
    BlobWriter(BlobStore& store, std::string tmp_name, int file)
        : store_{store}, tmp_name_{std::move(tmp_name)}, file_{file} {}

    Result<void> publish(std::string const& name);

    BlobStore& store_;
    std::string tmp_name_;
    std::string name_;  // once finished
    int file_;
    std::uint64_t size_ = 0;
    crypto::Sha256 hash_;
};

}  // namespace holdfast::cache
