// modules/git/transport.cpp: the callbacks through which libgit2's smart protocol reads and writes a Conversation.
#include "modules/git/remote.hpp"

#include <git2/sys/errors.h>
#include <git2/sys/transport.h>

#include <memory>

namespace holdfast::git {

namespace {

/// One request and its answer.
struct Stream : git_smart_subtransport_stream {
    Conversation* conversation = nullptr;
    std::string body;  // of a pack request
    bool for_pack = false;
    bool started = false;
};

struct Subtransport : git_smart_subtransport {
    Conversation* conversation = nullptr;
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
        if (stream->for_pack) {
            stream->conversation->start_pack(std::move(stream->body));
        } else {
            stream->conversation->start_refs();
        }
    }
    auto const got = stream->conversation->read(buffer, size);
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
    auto stream = std::make_unique<Stream>();
    stream->subtransport = base;
    stream->read = on_read;
    stream->write = on_write;
    stream->free = on_free_stream;
    stream->conversation = static_cast<Subtransport*>(base)->conversation;
    stream->for_pack = action == GIT_SERVICE_UPLOADPACK;
    *out = stream.release();
    return 0;
}

int on_close(git_smart_subtransport*) { return 0; }

void on_free(git_smart_subtransport* base) { delete static_cast<Subtransport*>(base); }

int make_subtransport(git_smart_subtransport** out, git_transport*, void* payload) {
    auto subtransport = std::make_unique<Subtransport>();
    subtransport->action = on_action;
    subtransport->close = on_close;
    subtransport->free = on_free;
    subtransport->conversation = static_cast<Conversation*>(payload);
    *out = subtransport.release();
    return 0;
}

}  // namespace

int make_transport(git_transport** out, git_remote* owner, void* payload) {
    git_smart_subtransport_definition definition{.callback = make_subtransport, .rpc = 1, .param = payload};
    return git_transport_smart(out, owner, &definition);
}

}  // namespace holdfast::git
