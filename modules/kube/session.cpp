// modules/kube/session.cpp: one request: who asks, how often, and what a refusal means.
#include "modules/kube/session.hpp"

#include "modules/base/base64.hpp"
#include "modules/base/limits.hpp"
#include "modules/http/retry.hpp"

#include <boost/json/parse.hpp>

namespace holdfast::kube {

Result<json::value> parse_json(std::string_view text) {
    json::parse_options options;
    options.max_depth = limits::kJsonDepthMax;
    boost::system::error_code ec;
    auto value = json::parse({text.data(), text.size()}, ec, {}, options);
    if (ec) return fail(Errc::invalid_input, "API server: answer is not JSON: " + ec.message());
    return value;
}

Result<Object> parse_object(std::string_view text) {
    auto value = parse_json(text);
    if (!value) return fail(std::move(value));
    if (!value->is_object()) return fail(Errc::invalid_input, "API server: answer is not a JSON object");
    return std::move(value->get_object());
}

Task<http::Response> Client::Shared::send_once(Call const& call, Identity const& identity) {
    http::Request request{.method = call.method, .target = base_path + call.target, .headers = {}, .body = call.body};
    auto& headers = request.headers;
    headers.set("Accept", call.accept);
    headers.set("User-Agent", settings.user_agent);
    if (!call.content_type.empty()) headers.set("Content-Type", call.content_type);
    auto const bearer = token.current();
    if (!bearer) co_return std::unexpected{bearer.error()};
    auto const& credentials = config.credentials;
    if (!bearer->empty()) {
        headers.set("Authorization", "Bearer " + *bearer);
    } else if (!credentials.user.empty()) {
        headers.set("Authorization", "Basic " + base64_encode(credentials.user + ":" + credentials.password));
    }
    if (!identity.user.empty()) headers.set("Impersonate-User", identity.user);
    for (auto const& group : identity.groups) headers.add("Impersonate-Group", group);

    http::Bounds bounds{.whole_max = settings.request_max,
                        .idle_max = settings.request_max,
                        .body_bytes_max = settings.object_bytes_max};
    if (call.sink) bounds.body_bytes_max = std::numeric_limits<std::size_t>::max();  // the sink bounds what it keeps
    if (call.is_watch) {
        bounds.long_lived = true;
        bounds.whole_max = call.watch_max;
        bounds.idle_max = call.watch_max;
    }
    ++counts.sent[static_cast<std::size_t>(call.verb)];
    auto response = co_await http.stream(endpoint, std::move(request), bounds, call.sink);
    if (!response) ++counts.failed;
    co_return std::move(response);
}

/// How long to wait before the same request again; nothing: do not.
static std::optional<std::chrono::milliseconds> pause_before_retry(http::Response const& response) {
    auto const asked = http::retry_after(response.headers, std::chrono::system_clock::now());
    if (response.status == 429) return asked.value_or(std::chrono::seconds{1});
    // As client-go: any other error is repeated only when the server says when.
    if (response.status >= 500 && asked) return *asked;
    return std::nullopt;
}

Task<http::Response> Client::Shared::call(Call call, Identity identity, Refusal* refusal) {
    Slots::Lease place;
    if (!call.is_watch) {
        auto taken = co_await requests.take(settings.queue_max);
        if (!taken) co_return fail(std::move(taken), "API server: wait for a free request");
        place = std::move(*taken);
    }
    bool asked_for_new_token = false;
    for (unsigned tries = 1;; ++tries) {
        auto response = co_await send_once(call, identity);
        if (!response || response->ok()) co_return std::move(response);
        if (response->status == 401 && !config.credentials.token_file.empty() && !asked_for_new_token) {
            asked_for_new_token = true;
            token.expire();
            continue;
        }
        auto const pause = pause_before_retry(*response);
        if (pause && tries < settings.tries_max && *pause <= settings.request_max) {
            ++counts.throttled;
            co_await sleep_for(*pause);
            continue;
        }
        ++counts.refused;
        auto refused = refusal_of(*response, {call.method, call.resource, call.name});
        auto error = to_error(refused);
        if (refusal != nullptr) *refusal = std::move(refused);
        co_return std::unexpected{std::move(error)};
    }
}

Task<Object> Client::Shared::call_for_object(Call call, Identity identity, Refusal* refusal) {
    auto response = co_await this->call(std::move(call), std::move(identity), refusal);
    if (!response) co_return fail(std::move(response));
    auto object = parse_object(response->body);
    co_return std::move(object);
}

}  // namespace holdfast::kube
