// modules/http/message.hpp: requests and responses as values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::http {

struct Header {
    std::string name;
    std::string value;
};

/// Header fields in the order they came; names compare without case.
class Headers {
public:
    Headers() = default;
    Headers(std::initializer_list<Header> fields) : fields_(fields) {}

    std::optional<std::string_view> find(std::string_view name) const;
    std::string_view get(std::string_view name) const { return find(name).value_or(""); }

    /// Replaces every field of that name.
    void set(std::string_view name, std::string_view value);
    void add(std::string_view name, std::string_view value);
    void erase(std::string_view name);

    auto begin() const { return fields_.begin(); }
    auto end() const { return fields_.end(); }
    std::size_t size() const { return fields_.size(); }

private:
    std::vector<Header> fields_;
};

bool equal_ignoring_case(std::string_view left, std::string_view right);

struct Request {
    std::string method = "GET";
    std::string target = "/";  // path and query, already percent-encoded
    Headers headers;           // Host, Content-Length, Connection and User-Agent are added when missing
    std::string body;
    bool repeatable = false;  // a POST that changes nothing: may be sent again wherever a GET may
};

struct Response {
    unsigned status = 0;
    Headers headers;
    std::string body;

    bool ok() const { return status >= 200 && status < 300; }
    /// To the Location header, with or without a change of method.
    bool is_redirect() const {
        return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    }
};

/// "404 Not Found", for messages.
std::string status_text(unsigned status);

}  // namespace holdfast::http
