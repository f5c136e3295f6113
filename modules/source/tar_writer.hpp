// modules/source/tar_writer.hpp: tar with Go's archive/tar layout inside a gzip without time and name; private to this folder.
#pragma once

#include "modules/crypto/digest.hpp"
#include "modules/source/artifact.hpp"

#include <memory>

namespace holdfast::source {

/// Compresses what it is given, hashes the result and hands it on.
class GzipSink {
public:
    explicit GzipSink(ArtifactSink const& sink);
    ~GzipSink();
    GzipSink(GzipSink const&) = delete;
    GzipSink& operator=(GzipSink const&) = delete;

    Result<void> write(std::string_view bytes);
    Result<void> finish();

    std::uint64_t size() const { return size_; }
    /// Once, after finish().
    std::string digest();

private:
    Result<void> deflate_some(std::string_view bytes, int flush);

    ArtifactSink const& sink_;
    struct State;
    std::unique_ptr<State> state_;
    std::unique_ptr<char[]> buffer_;
    crypto::Sha256 hash_;
    std::uint64_t size_ = 0;
};

class TarWriter {
public:
    explicit TarWriter(GzipSink& out) : out_{out} {}

    Result<void> directory(std::string_view path);
    Result<void> file(std::string_view path, bool executable, std::string_view content);
    Result<void> finish();

private:
    Result<void> header(std::string_view path, char type, unsigned mode, std::uint64_t size);
    Result<void> block(std::string_view name, std::string_view prefix, char type, unsigned mode, std::uint64_t size,
                       bool pax);
    Result<void> padded(std::string_view content);

    GzipSink& out_;
};

}  // namespace holdfast::source
