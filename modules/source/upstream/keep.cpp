// modules/source/upstream/keep.cpp: what every kind of upstream does with what it was given, and with what it got.
#include "modules/source/upstream/keep.hpp"

#include "modules/base/base64.hpp"
#include "modules/kube/object.hpp"

namespace holdfast::source {

std::unexpected<Miss> not_kept(Error error) {
    return std::unexpected{Miss{.error = std::move(error).in("unable to archive artifact to storage"),
                                .reason = "ArchiveOperationFailed",
                                .of_storage = true}};
}

Result<void> Keep::write(std::string_view piece) {
    if (!writer_) {
        auto begun = request_.begin();
        if (!begun) return fail(std::move(begun));
        writer_ = std::move(*begun);
    }
    size_ += piece.size();
    return writer_->write(piece);
}

std::expected<void, Miss> Keep::finish(std::string const& digest, Fetched& fetched) {
    if (!writer_) return not_kept({Errc::corrupt, "no byte of it came"});
    auto kept = writer_->finish();
    if (!kept) return not_kept(std::move(kept).error());
    if (*kept != digest) return not_kept({Errc::corrupt, "what came is " + *kept + ", not " + digest});
    fetched.digest = std::move(*kept);
    fetched.size = size_;
    fetched.bytes = std::move(writer_);
    return {};
}

std::string secret_text(json::object const& secret, std::initializer_list<std::string_view> names) {
    for (std::string_view const name : names) {
        auto const encoded = kube::find_string(secret, {"data", name});
        if (encoded.empty()) continue;
        auto decoded = base64_decode(encoded);
        if (decoded) return std::move(*decoded);
    }
    return "";
}

}  // namespace holdfast::source
