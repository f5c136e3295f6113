// modules/git/transport.cpp: the callbacks through which libgit2's smart protocol reads and writes a Conversation.
#include "modules/base/utf8.hpp"
#include "modules/git/packets.hpp"
#include "modules/git/remote.hpp"

#include <git2/sys/errors.h>
#include <git2/sys/transport.h>

#include <algorithm>
#include <memory>

namespace holdfast::git {

namespace {

/// The pack requests of one conversation: the two in which libgit2 asks for a shallow history are sent as one.
///
/// Problem: libgit2 asks where the shallow history ends and, told so, for the same again with "done" behind it. Who has nothing
/// to offer has nothing to say in between; git says "done" at once. Solution: so is the first request sent. Of its answer libgit2
/// gets the list of ends first, and all of it when it asks the second time.
class PackRequests {
public:
    explicit PackRequests(Conversation& conversation) : conversation_{conversation} {}

    void ask(std::string body) {
        at_ = 0;
        in_ends_ = false;
        if (!foreseen_.empty() && body == foreseen_) {
            foreseen_.clear();
            return;
        }
        kept_.clear();
        foreseen_.clear();
        if (body.ends_with(kFlush) && body.contains("deepen ") && !body.contains("have ")) {
            foreseen_ = body += kDone;
            in_ends_ = true;
            ends_ = 0;
        }
        conversation_.start_pack(std::move(body));
    }

    Result<std::size_t> read(char* into, std::size_t size) {
        if (in_ends_) return read_ends(into, size);
        if (at_ < kept_.size()) return copy(into, size, kept_.size());
        return conversation_.read(into, size);
    }

private:
    static constexpr std::string_view kFlush = "0000";
    static constexpr std::string_view kDone = "0009done\n";
    static constexpr std::string_view kRefusal = "ERR ";
    static constexpr std::size_t kShownMax = 200;

    std::size_t copy(char* into, std::size_t size, std::size_t end) {
        auto const count = kept_.copy(into, std::min(size, end - at_), at_);
        at_ += count;
        return count;
    }

    /// The server's own words; libgit2 would say that this is no list of ends. Not remembered: it may be about one commit.
    static std::unexpected<Error> refused(std::string_view line) {
        return std::unexpected{
            Error{Errc::invalid_input, "remote error: " + to_utf8(line.substr(kRefusal.size()), kShownMax)}};
    }

    /// Up to the flush packet behind the ends. What is no such list is read as it comes, and nothing is foreseen of it.
    Result<std::size_t> read_ends(char* into, std::size_t size) {
        for (bool whole = false;;) {
            if (at_ < ends_) return copy(into, size, ends_);
            if (whole) return std::size_t{0};
            auto rest = std::string_view{kept_}.substr(ends_);
            auto const packet = take_packet(rest);
            if (packet && !*packet) {
                char piece[4096];
                auto const got = conversation_.read(piece, sizeof piece);
                if (!got) return got;
                kept_.append(piece, *got);
                if (*got > 0) continue;
            }
            whole = packet && *packet && (*packet)->kind == Packet::Kind::flush;
            bool const is_end = packet && *packet &&
                                ((*packet)->data.starts_with("shallow ") || (*packet)->data.starts_with("unshallow "));
            if (packet && *packet && (*packet)->data.starts_with(kRefusal)) return refused((*packet)->data);
            if (!whole && !is_end) {
                foreseen_.clear();
                in_ends_ = false;
                return read(into, size);
            }
            auto const left = rest.size();
            auto const length = kept_.size() - left - ends_;
            // Not every server leaves out the end of the line, which libgit2 does not expect here.
            if (is_end) kept_.replace(ends_, length, bare_packet(std::string{(*packet)->data}));
            ends_ = kept_.size() - left;
        }
    }

    Conversation& conversation_;
    std::string foreseen_;  // what libgit2 is going to ask, and has been sent
    std::string kept_;      // what came first in answer to it
    std::size_t ends_ = 0;  // how much of that is the list of ends
    std::size_t at_ = 0;    // how much of it was read
    bool in_ends_ = false;
};

/// The list of references, its first line as libgit2 reads it: that line ends with the capabilities, and libgit2 takes an
/// object format for ended only by a space. git names it in the middle, servers made with go-git last of all, and of an
/// empty repository always.
class List {
public:
    explicit List(Conversation& conversation) : conversation_{conversation} {}

    Result<std::size_t> read(char* into, std::size_t size) {
        while (!is_begun_) {
            if (begin()) break;
            char piece[4096];
            auto const got = conversation_.read(piece, sizeof piece);
            if (!got) return got;
            if (*got == 0) is_begun_ = true;
            start_.append(piece, *got);
        }
        if (at_ == start_.size()) return conversation_.read(into, size);
        auto const count = start_.copy(into, size, at_);
        at_ += count;
        return count;
    }

private:
    /// Out  whether the line with the capabilities is there, or what comes is no list
    bool begin() {
        auto rest = std::string_view{start_};
        for (std::size_t begin = 0;; begin = start_.size() - rest.size()) {
            auto const packet = take_packet(rest);
            if (packet && !*packet) return false;
            is_begun_ = !packet || (*packet)->data.contains('\0') || begin > kPacketBytesMax;
            if (!is_begun_) continue;
            if (packet && ends_with_format((*packet)->data))
                start_.replace(begin, start_.size() - rest.size() - begin,
                               git::packet(std::string{(*packet)->data} + ' '));
            return true;
        }
    }

    static bool ends_with_format(std::string_view line) {
        auto const last = line.substr(line.find_last_of(std::string_view{" \0", 2}) + 1);
        return last.starts_with("object-format=") && line.size() + 6 <= kPacketBytesMax;
    }

    Conversation& conversation_;
    std::string start_;  // up to that line, and what came along with it
    std::size_t at_ = 0;
    bool is_begun_ = false;
};

/// One request and its answer.
struct Stream : git_smart_subtransport_stream {
    explicit Stream(Conversation& wire) : git_smart_subtransport_stream{}, conversation{wire}, list{wire} {}

    Conversation& conversation;
    List list;
    PackRequests* packs = nullptr;  // of a request for a pack
    std::string body;
    bool started = false;
};

struct Subtransport : git_smart_subtransport {
    explicit Subtransport(Conversation& wire) : git_smart_subtransport{}, conversation{wire}, packs{wire} {}

    Conversation& conversation;
    PackRequests packs;
};

/// What the caller reports is Conversation::failure(); this is only for libgit2.
int failed(Error const& error) {
    git_error_set_str(GIT_ERROR_NET, error.message.c_str());
    return -1;
}

int on_read(git_smart_subtransport_stream* base, char* buffer, std::size_t size, std::size_t* count) {
    auto* const stream = static_cast<Stream*>(base);
    if (!stream->started) {
        stream->started = true;
        if (stream->packs != nullptr) {
            stream->packs->ask(std::move(stream->body));
        } else {
            stream->conversation.start_refs();
        }
    }
    auto const got = stream->packs != nullptr ? stream->packs->read(buffer, size) : stream->list.read(buffer, size);
    if (!got) return failed(got.error());
    *count = *got;
    return 0;
}

int on_write(git_smart_subtransport_stream* base, char const* bytes, std::size_t size) {
    static_cast<Stream*>(base)->body.append(bytes, size);
    return 0;
}

void on_free_stream(git_smart_subtransport_stream* base) { delete static_cast<Stream*>(base); }

int on_action(git_smart_subtransport_stream** out, git_smart_subtransport* base, char const*,
              git_smart_service_t action) {
    if (action != GIT_SERVICE_UPLOADPACK_LS && action != GIT_SERVICE_UPLOADPACK) {
        git_error_set_str(GIT_ERROR_NET, "only fetching is supported");
        return -1;
    }
    auto* const subtransport = static_cast<Subtransport*>(base);
    auto stream = std::make_unique<Stream>(subtransport->conversation);
    stream->subtransport = base;
    stream->read = on_read;
    stream->write = on_write;
    stream->free = on_free_stream;
    if (action == GIT_SERVICE_UPLOADPACK) stream->packs = &subtransport->packs;
    *out = stream.release();
    return 0;
}

int on_close(git_smart_subtransport*) { return 0; }

void on_free(git_smart_subtransport* base) { delete static_cast<Subtransport*>(base); }

int make_subtransport(git_smart_subtransport** out, git_transport*, void* payload) {
    auto subtransport = std::make_unique<Subtransport>(*static_cast<Conversation*>(payload));
    subtransport->action = on_action;
    subtransport->close = on_close;
    subtransport->free = on_free;
    *out = subtransport.release();
    return 0;
}

}  // namespace

int make_transport(git_transport** out, git_remote* owner, void* payload) {
    git_smart_subtransport_definition definition{.callback = make_subtransport, .rpc = 1, .param = payload};
    return git_transport_smart(out, owner, &definition);
}

}  // namespace holdfast::git
