// modules/kube/session.cpp: one request: who asks, how often, and what a refusal means.
#include "modules/kube/session.hpp"

#include "modules/base/base64.hpp"
#include "modules/http/retry.hpp"

namespace holdfast::kube {

static bool same_tls(http::TlsSettings const& a, http::TlsSettings const& b) {
    return a.ca_pem == b.ca_pem && a.certificate_pem == b.certificate_pem && a.key_pem == b.key_pem &&
           a.server_name == b.server_name && a.insecure_skip_verify == b.insecure_skip_verify;
}

static bool same_server(http::Url const& a, http::Url const& b) {
    return a.scheme == b.scheme && a.authority() == b.authority() && a.target == b.target;
}

Result<bool> Client::Shared::take_over(Config fresh) {
    if (!same_server(fresh.server, config.server)) {
        return fail(Errc::invalid_input,
                    "the kubeconfig names another server now (" + fresh.server.authority() + "): restart to follow it");
    }
    bool const same_user = fresh.credentials == config.credentials;
    if (same_user && same_tls(fresh.tls, config.tls)) return false;
    if (!same_tls(fresh.tls, config.tls) && endpoint.tls) {
        auto made = http::TlsContext::client(fresh.tls);
        if (!made) return fail(std::move(made));
        endpoint.tls = std::move(*made);  // requests in flight hold the old one
    }
    if (!same_user) token = TokenSource{fresh.credentials};
    config.credentials = std::move(fresh.credentials);
    config.tls = std::move(fresh.tls);
    config.origin = std::move(fresh.origin);
    return true;
}

bool Client::Shared::renew_credentials(bool at_once) {
    if (!config.origin.is_on_disk()) return false;
    auto const now = std::chrono::steady_clock::now();
    if (!at_once && stamps_at && now - *stamps_at < settings.credentials_pause) return false;
    stamps_at = now;
    if (!stamps.changed(config.origin.files) && !at_once) return false;
    auto fresh = read_again(config.origin);
    auto const taken = fresh ? take_over(std::move(*fresh)) : Result<bool>{std::unexpected{fresh.error()}};
    if (!taken) {
        // Half-written, or the key still belongs to the old certificate: what is in use stays, and the next look reads again.
        contact.credentials_problem = taken.error().message;
        return false;
    }
    stamps.keep();
    contact.credentials_problem.clear();
    return *taken;
}

Task<http::Response> Client::Shared::send_once(Call const& call, Identity const& identity) {
    renew_credentials(false);
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
        bounds.idle_max = call.silence_max;
    }
    ++counts.sent[static_cast<std::size_t>(call.verb)];
    http::BodySink sink;
    if (call.sink) {
        sink = [this, &call](std::string_view piece) {
            contact.heard_at = std::chrono::steady_clock::now();
            return call.sink(piece);
        };
    }
    auto response = co_await http.stream(endpoint, std::move(request), bounds, std::move(sink));
    if (!response) {
        ++counts.failed;
        contact.last_error = response.error().message;
        contact.last_code = 0;
    } else if (response->ok()) {
        contact.heard_at = std::chrono::steady_clock::now();
        contact.last_error.clear();
        contact.last_code = 0;
    }
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

static bool sent_a_secret(Call const& call) {
    bool const sent = call.method != "GET" && call.method != "DELETE";
    return sent && call.resource.substr(0, call.resource.find('.')) == "secrets";
}

static bool is_about_no_object(Refusal const& refused) {
    return refused.code == 404 && find_string(refused.details, {"name"}).empty();
}

Task<http::Response> Client::Shared::call(Call call, Identity identity, Refusal* refusal) {
    if (call.unsendable) co_return std::unexpected{std::move(*call.unsendable)};
    Slots::Lease place;
    if (!call.is_watch) {
        auto taken = co_await requests.take(settings.queue_max);
        if (!taken) co_return fail(std::move(taken), "API server: wait for a free request");
        place = std::move(*taken);
    }
    bool renewed = false;
    for (unsigned tries = 1;; ++tries) {
        auto response = co_await send_once(call, identity);
        if (!response || response->ok()) co_return std::move(response);
        if (response->status == 401 && !std::exchange(renewed, true)) {
            bool const changed = renew_credentials(true);
            if (changed || !config.credentials.token_file.empty()) {
                token.expire();
                continue;
            }
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
        if (sent_a_secret(call)) error.message = words_about_secret(refused);
        if (refused.code == 401) {
            if (!token.problem().empty()) error.message += "; " + token.problem();
            if (!contact.credentials_problem.empty()) error.message += "; " + contact.credentials_problem;
        }
        // What the server refuses to somebody whom we act for says nothing about how it stands with us.
        if (refused.code == 401 || identity.user == config.credentials.impersonate_user) {
            contact.last_error = error.message;
            contact.last_code = refused.code;
        }
        if (call.gvk && is_about_no_object(refused)) {
            // Not "the object is gone" but "there is no such path": the kind may be served in another version now.
            kinds.forget(*call.gvk);
            discovered_at.reset();
            if (!call.name.empty()) error.code = Errc::busy;
        }
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
