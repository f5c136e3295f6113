// modules/git/lookout.cpp: the conversation of a look, and what it taught about the server.
#include "modules/git/lookout.hpp"

#include "modules/base/hash.hpp"
#include "modules/git/conversation.hpp"
#include "modules/git/packets.hpp"

#include <algorithm>
#include <array>

namespace holdfast::git {

namespace {

constexpr std::size_t kServersMax = 4'096;
constexpr std::size_t kNameBytesMax = 1'024;
constexpr std::size_t kAnswerBytesMax = 16u << 10;  // beyond, a hundred names begin like the one that is wished for
constexpr std::chrono::hours kNeedsListStands{1};   // servers are updated

bool can_be_asked_for(std::string const& name) {
    return name.size() <= kNameBytesMax &&
           std::ranges::all_of(name, [](unsigned char c) { return c > ' ' && c != '\x7f'; });
}

/// The whole answer to what was started; nothing when it is longer than an answer to a look.
Result<std::optional<std::string>> read_short(Conversation& conversation) {
    std::string answer;
    std::array<char, 4'096> piece{};
    for (;;) {
        auto const got = conversation.read(piece.data(), piece.size());
        if (!got) return std::unexpected{got.error()};
        if (*got == 0) return answer;
        if (answer.size() + *got > kAnswerBytesMax) return std::nullopt;
        answer.append(piece.data(), *got);
    }
}

/// How the server opens; what it says behind the first packets of an older protocol is not waited for.
Result<Opening> opening_of(Conversation& conversation) {
    conversation.start_refs();
    std::string answer;
    std::array<char, 4'096> piece{};
    for (;;) {
        auto const got = conversation.read(piece.data(), piece.size());
        if (!got) return std::unexpected{got.error()};
        answer.append(piece.data(), *got);
        auto const opening = read_opening(answer);
        if (opening == Opening::older || opening == Opening::other) return opening;
        // To the end, so that the connection is good for the question itself.
        if (*got == 0) return opening == Opening::lists_refs ? opening : Opening::other;
        if (answer.size() > kAnswerBytesMax) return Opening::other;
    }
}

}  // namespace

Lookout::Server Lookout::server_of(std::uint64_t url) const {
    std::scoped_lock const lock{mutex_};
    auto const found = servers_.find(url);
    if (found == servers_.end()) return Server::unknown;
    auto const age = std::chrono::steady_clock::now() - found->second.since;
    return found->second.server == Server::needs_list && age > kNeedsListStands ? Server::unknown
                                                                                : found->second.server;
}

void Lookout::remember(std::uint64_t url, Server server) {
    std::scoped_lock const lock{mutex_};
    if (servers_.size() >= kServersMax && !servers_.contains(url)) servers_.clear();
    servers_[url] = {server, std::chrono::steady_clock::now()};
}

Result<Look> Lookout::look(Remote const& remote, Reference const& reference, Options const& options) {
    // A commit never changes: when it is held there is nothing to ask.
    bool const holds_commit =
        !reference.commit.empty() && options.known_revision == revision_of(reference.branch, reference.commit);
    if (holds_commit) return Look::unchanged;
    auto const names = names_of(reference);
    auto const url = hash64(remote.url);
    auto server = server_of(url);
    bool const can_ask = !options.known_revision.empty() && !names.empty() && !remote.local &&
                         std::ranges::all_of(names, can_be_asked_for);
    if (!can_ask || server == Server::needs_list) return Look::unknown;

    for (;;) {
        bool const asks_at_once = server == Server::answers;
        auto conversation = Conversation::open(remote, options, Protocol::v2);
        if (!conversation) return cannot("list remote for", remote, conversation.error());
        if (!asks_at_once) {
            auto const opening = opening_of(**conversation);
            if (!opening) return cannot("list remote for", remote, opening.error());
            // Only what is whole says something about the next time.
            if (*opening == Opening::older) remember(url, Server::needs_list);
            if (*opening != Opening::lists_refs) return Look::unknown;
        }
        (*conversation)->start_command(ls_refs_request(names));
        auto const answer = read_short(**conversation);
        bool const is_away = !answer && (answer.error().code == Errc::offline || answer.error().code == Errc::timeout);
        if (is_away) return cannot("list remote for", remote, answer.error());
        auto const refs = answer && *answer ? read_ls_refs(**answer, names)
                                            : Result<std::vector<Ref>>{fail(Errc::invalid_input, "no answer")};
        if (refs) {
            remember(url, (*conversation)->was_redirected() ? Server::redirects : Server::answers);
            auto const target = resolve(*refs, reference, {});
            if (!target) return Look::unknown;
            return target->revision == options.known_revision ? Look::unchanged : Look::changed;
        }
        remember(url, Server::unknown);
        if (!asks_at_once) return Look::unknown;
        server = Server::unknown;  // something has changed over there: from the beginning, once
    }
}

}  // namespace holdfast::git
