// daemon/cli/queue.cpp: holdfast queue ls, retry, export, fsck: asks the daemon, or opens its database when none runs.
#include "cache/db/migrate.hpp"
#include "daemon/cli/ask.hpp"
#include "daemon/cli/common.hpp"
#include "daemon/cli/verbs.hpp"
#include "daemon/queue_desk.hpp"
#include "modules/base/json_text.hpp"
#include "modules/base/utf8.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace holdfast::daemon {

namespace json = boost::json;

namespace {

constexpr std::chrono::milliseconds kAnswerMax{60'000};  // fsck reads everything
constexpr std::size_t kMovedAtOnce = 500;

/// Root acts as whose files these are: what it writes must be readable to the daemon.
Result<void> become_owner_of(std::filesystem::path const& file) {
    struct stat info{};
    if (::stat(file.c_str(), &info) != 0) return fail(Errc::not_found, file.string() + ": " + std::strerror(errno));
    if (::geteuid() != 0 || info.st_uid == 0) return {};
    if (::setegid(info.st_gid) != 0 || ::seteuid(info.st_uid) != 0)
        return fail(Errc::denied, "user " + std::to_string(info.st_uid) + ": " + std::strerror(errno));
    return {};
}

/// The queue of one site, behind the daemon that runs or in the file that none has open.
class Desk {
public:
    explicit Desk(DaemonFlags flags) : flags_(std::move(flags)) {}

    Result<json::object> ask(json::object const& request) {
        std::string const text = json::serialize(request);
        auto answer = outbox_ ? answer_queue(*outbox_, text) : ask_running(text);
        bool const nobody =
            !answer && !outbox_ && (answer.error().code == Errc::not_found || answer.error().code == Errc::offline);
        if (nobody) {
            auto opened = open();
            if (!opened) return fail(std::move(opened), answer.error().message + "; its database");
            answer = answer_queue(*outbox_, text);
        }
        if (!answer) return fail(std::move(answer));
        auto parsed = parse_json(*answer);
        if (!parsed || !parsed->is_object()) return fail(Errc::corrupt, "the answer is no JSON object");
        return std::move(parsed->get_object());
    }

private:
    Result<std::string> ask_running(std::string const& text) {
        auto const socket = socket_of(flags_);
        if (!socket) return std::unexpected{socket.error()};
        return ask_daemon(*socket, {.method = "POST", .target = std::string{kQueuePath}, .body = text}, kAnswerMax);
    }

    Result<void> open() {
        auto config = read_config(flags_.config);
        if (!config) return fail(std::move(config));
        if (!flags_.state_dir.empty()) config->state_dir = flags_.state_dir;
        auto const file = std::filesystem::path{config->state_dir} / "holdfast.db";
        auto owned = become_owner_of(file);
        if (!owned) return owned;
        auto connection = cache::db::Connection::open(file);
        if (!connection) return fail(std::move(connection));
        auto migrated = cache::db::migrate(*connection);
        if (!migrated) return fail(std::move(migrated), file.string());
        connection_.emplace(std::move(*connection));
        cache::OutboxLimits const limits{.rows_max = config->outbox_rows_max, .bytes_max = config->disk_bytes_max / 4};
        outbox_.emplace(*connection_, limits, [] { return std::chrono::system_clock::now(); });
        auto opened = outbox_->open();
        if (!opened) outbox_.reset();
        return opened;
    }

    DaemonFlags flags_;
    std::optional<cache::db::Connection> connection_;
    std::optional<cache::Outbox> outbox_;
};

std::string text_of(json::object const& from, std::string_view name) {
    auto const* value = from.if_contains(name);
    return value != nullptr && value->is_string() ? std::string{value->get_string()} : "";
}

/// Everything on a shelf, some hundreds at a time, until `take` says no. Out: the first answer, which has the numbers.
Result<json::object> each(Desk& desk, std::string_view shelf, std::function<bool(json::object const&)> const& take) {
    json::object numbers;
    for (std::int64_t after = 0;;) {
        auto page = desk.ask({{"verb", "show"}, {"shelf", shelf}, {"after", after}});
        if (!page) return page;
        json::array const records = page->at("records").as_array();
        if (after == 0) numbers = std::move(*page);
        if (records.empty()) return numbers;
        for (json::value const& one : records) {
            after = one.at("sequence").as_int64();
            if (!take(one.as_object())) return numbers;
        }
    }
}

/// "apps/shop/Kustomization Non-Compliant ArtifactFailed: …", as far as the fields say it.
std::string words_of(json::object const& record) {
    auto const* fields = record.at("fields").if_object();
    if (fields == nullptr) return "(no JSON object)";
    if (auto const* missing = fields->if_contains("NotRecorded"); missing != nullptr)
        return std::to_string(record.at("count").as_int64()) + " changes that were not recorded";
    bool const is_object = !text_of(*fields, "Kind").empty();
    std::string name = is_object
                           ? text_of(*fields, "Namespace") + "/" + text_of(*fields, "Name")
                           : text_of(*fields, "ConfigurationNamespace") + "/" + text_of(*fields, "ConfigurationName");
    name += "/" + (is_object ? text_of(*fields, "Kind") : std::string{"FluxConfig"});
    return without_controls(name + " " + text_of(*fields, "ComplianceState"));
}

bool show_line(json::object const& record) {
    std::string const reason = without_controls(text_of(record, "reason"));
    std::printf("%-10lld %s  %s%s%s\n", static_cast<long long>(record.at("sequence").as_int64()),
                text_of(record, "observedAt").c_str(), words_of(record).c_str(), reason.empty() ? "" : "  ",
                reason.c_str());
    return std::ferror(stdout) == 0;
}

bool show_json(json::object const& record) {
    std::printf("%s\n", json::serialize(record).c_str());
    return std::ferror(stdout) == 0;
}

/// Whoever reads may have had enough, but half a list is not the list.
int end_output(int code) {
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
    return complain({Errc::limit, "the output could not be written"}, kExitFailed);
}

int list(Desk& desk, bool waiting) {
    auto const numbers = each(desk, waiting ? "waiting" : "aside", show_line);
    if (!numbers) return complain(numbers.error(), kExitFailed);
    std::printf("%lld wait, %lld were set aside, %lld changes were not recorded\n",
                static_cast<long long>(numbers->at("waiting").as_int64()),
                static_cast<long long>(numbers->at("dead").as_int64()),
                static_cast<long long>(numbers->at("refused").as_int64()));
    return end_output(0);
}

int export_all(Desk& desk) {
    for (std::string_view const shelf : {"aside", "waiting"}) {
        auto const numbers = each(desk, shelf, show_json);
        if (!numbers) return complain(numbers.error(), kExitFailed);
    }
    return end_output(0);
}

Result<std::vector<std::int64_t>> all_aside(Desk& desk) {
    std::vector<std::int64_t> sequences;
    auto const numbers = each(desk, "aside", [&](json::object const& record) {
        sequences.push_back(record.at("sequence").as_int64());
        return true;
    });
    if (!numbers) return std::unexpected{numbers.error()};
    return sequences;
}

int retry(Desk& desk, std::vector<std::int64_t> sequences, bool all) {
    if (all) {
        auto const found = all_aside(desk);
        if (!found) return complain(found.error(), kExitFailed);
        sequences = *found;
    }
    std::int64_t moved = 0;
    bool is_full = false;
    for (std::size_t at = 0; at < sequences.size() && !is_full; at += kMovedAtOnce) {
        auto const end = std::min(at + kMovedAtOnce, sequences.size());
        auto const answer =
            desk.ask({{"verb", "retry"}, {"sequences", json::array(sequences.data() + at, sequences.data() + end)}});
        if (!answer) return complain(answer.error(), kExitFailed);
        moved += answer->at("moved").as_int64();
        is_full = answer->at("full").as_bool();
    }
    std::printf("%lld wait again\n", static_cast<long long>(moved));
    if (is_full) return complain({Errc::limit, "the queue is full: the others stay where they are"}, kExitFailed);
    return end_output(0);
}

int fsck(Desk& desk) {
    auto const answer = desk.ask({{"verb", "check"}});
    if (!answer) return complain(answer.error(), kExitFailed);
    auto const& problems = answer->at("problems").as_array();
    for (json::value const& problem : problems) std::printf("%s\n", std::string{problem.as_string()}.c_str());
    if (problems.empty()) std::printf("ok\n");
    return end_output(problems.empty() ? 0 : kExitFailed);
}

}  // namespace

int queue_verb(int argc, char** argv) {
    DaemonFlags flags;
    bool waiting = false;
    bool all = false;
    std::vector<std::int64_t> sequences;
    CLI::App app{
        "Show, send again, export or check what waits for Azure. Asks the daemon; when none runs, its database.",
        "holdfast queue"};
    app.require_subcommand(1);
    auto* lists = app.add_subcommand("ls", "List the records that Azure refused, with its words.");
    lists->add_flag("--waiting", waiting, "List those that wait instead");
    auto* retries = app.add_subcommand("retry", "Send records again that were set aside.");
    auto* numbers = retries->add_option("SEQUENCE", sequences, "Numbers, as ls shows them");
    retries->add_flag("--all", all, "All of them")->excludes(numbers);
    auto* exports =
        app.add_subcommand("export", "Print every record that was set aside or waits, one JSON object a line.");
    auto* checks = app.add_subcommand("fsck", "Check the database and the promises of the queue.");
    for (CLI::App* one : {lists, retries, exports, checks}) add_daemon_flags(*one, flags);
    if (auto const code = stop_after_flags(app, argc, argv)) return *code;
    if (retries->parsed() && sequences.empty() && !all)
        return complain({Errc::invalid_input, "queue retry: which? Name sequences, or --all"}, kExitUsage);

    Desk desk{flags};
    if (lists->parsed()) return list(desk, waiting);
    if (retries->parsed()) return retry(desk, sequences, all);
    return exports->parsed() ? export_all(desk) : fsck(desk);
}

}  // namespace holdfast::daemon
