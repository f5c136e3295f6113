// tests/unit/modules/kube/fake_server.hpp: an API server that answers from a script, and the documents it answers with.
#pragma once

#include "modules/http/server.hpp"
#include "modules/kube/client.hpp"
#include "tests/unit/modules/http/loop.hpp"

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace holdfast::kube {

using namespace std::chrono_literals;
using http::Answer;
using http::ServerRequest;

/// Answers from a script; what it was asked is kept.
struct FakeServer {
    static constexpr unsigned kHeld = 598;

    test::Loop loop;
    http::Server server{loop.executor(), {.body_bytes_max = 1u << 20}};
    http::Client http{loop.executor()};
    std::vector<ServerRequest> asked;
    std::deque<Answer> script;
    std::unique_ptr<Client> client;
    std::string url;

    explicit FakeServer(ClientSettings const& settings = {}, Credentials credentials = {}) {
        server.route("*", "/*", [this](ServerRequest request) -> asio::awaitable<Answer> {
            asked.push_back(std::move(request));
            if (script.empty()) co_return http::text_answer(599, "the script is over");
            auto answer = std::move(script.front());
            script.pop_front();
            if (answer.status == kHeld) co_await sleep_for(1h);  // until the client goes
            co_return answer;
        });
        auto const port = server.listen_tcp("127.0.0.1", 0).value();
        url = "http://127.0.0.1:" + std::to_string(port) + "/prefix/";
        Config config{.server = http::parse_url(url).value(), .reach = http::Reach::of_operator()};
        config.credentials = std::move(credentials);
        client = Client::make(loop.executor(), http, config, settings).value();
    }
    void answer_never() { script.push_back(http::text_answer(kHeld, "")); }
    void answer(unsigned status, std::string body) { script.push_back(http::json_answer(status, std::move(body))); }
    void answer_later(unsigned status, std::string retry_after) {
        auto answer = http::text_answer(status, "");
        answer.headers.set("Retry-After", retry_after);
        script.push_back(answer);
    }
};

inline Resource const kPods{.gvk = {"", "v1", "Pod"}, .plural = "pods", .namespaced = true, .verbs = {}};
inline Target const kPod{kPods, "ns", "a"};

inline std::string page(std::string const& names, std::string const& continuation) {
    std::string items;
    for (char const name : names)
        items += (items.empty() ? "" : ",") + std::string{R"({"metadata":{"name":")"} + name + "\"}}";
    return R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"9","continue":")" + continuation +
           R"("},"items":[)" + items + "]}";
}

inline std::string group_item(std::string const& group, std::string const& version, std::string const& kind,
                              std::string const& freshness = "Current") {
    auto const resources = kind.empty()
                               ? ""
                               : R"({"resource":"things","responseKind":{"group":")" + group + R"(","version":")" +
                                     version + R"(","kind":")" + kind + R"("},"scope":"Namespaced","verbs":["get"]})";
    return R"({"version":")" + version + R"(","freshness":")" + freshness + R"(","resources":[)" + resources + "]}";
}

inline std::string groups(std::string const& group, std::string const& versions) {
    return R"({"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":")" + group + R"("},"versions":[)" +
           versions + "]}]}";
}

inline std::string const kNoGroups = R"({"kind":"APIGroupDiscoveryList","items":[]})";

}  // namespace holdfast::kube
