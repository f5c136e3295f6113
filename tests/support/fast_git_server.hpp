// tests/support/fast_git_server.hpp: serves bare repositories over smart HTTP from memory, faster than a client can ask.
// Every answer is computed once by `git http-backend` and then leaves in one piece, as from servers that keep their
// repositories at hand; what it shows of itself beside (kept-alive connections, chunks) is the caller's choice.
#pragma once

#include "tests/support/git_server.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <thread>

namespace holdfast::test {

class FastGitServer {
public:
    enum class Connections {
        kept,     // one request after another
        closed,   // one request, then "Connection: close"
        dropped,  // one request, then closed without a word, as by a server that restarts
    };
    struct Style {
        Connections connections = Connections::kept;
        bool chunked = false;
    };

    FastGitServer(std::filesystem::path root, Style style) : root_{std::move(root)}, style_{style} {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        HOLDFAST_ASSERT(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
        HOLDFAST_ASSERT(::listen(listener_, 128) == 0);
        HOLDFAST_ASSERT(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
        url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
        acceptor_ = std::thread{[this] { accept(); }};
    }
    ~FastGitServer() {
        {
            std::scoped_lock const lock{mutex_};
            stopping_ = true;
            for (int const fd : open_) ::shutdown(fd, SHUT_RDWR);
        }
        ::shutdown(listener_, SHUT_RDWR);
        acceptor_.join();
        for (auto& each : serving_) each.join();
        ::close(listener_);
    }
    FastGitServer(FastGitServer const&) = delete;
    FastGitServer& operator=(FastGitServer const&) = delete;

    std::string url_of(std::string const& repository) const { return url_ + "/" + repository; }
    std::size_t connections() const {
        std::scoped_lock const lock{mutex_};
        return serving_.size();
    }

private:
    struct Request {
        std::string line;  // "GET /shop.git/info/refs?service=git-upload-pack"
        std::string body;
    };

    void accept() {
        for (int fd = -1; (fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
            std::scoped_lock const lock{mutex_};
            if (stopping_) {
                ::close(fd);
                return;
            }
            int const on = 1;
            ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            open_.insert(fd);
            serving_.emplace_back([this, fd] { serve(fd); });
        }
    }

    void serve(int fd) {
        std::string input;
        Request request;
        while (receive(fd, input, request)) {
            auto const& answer = answer_to(request);
            for (std::size_t sent = 0; sent < answer.size();) {
                auto const count = ::send(fd, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
                if (count <= 0) break;
                sent += static_cast<std::size_t>(count);
            }
            if (style_.connections != Connections::kept) break;
        }
        std::scoped_lock const lock{mutex_};
        open_.erase(fd);
        ::close(fd);
    }

    /// One whole request from the front of `input`. The client sends Content-Length, never chunks.
    static bool receive(int fd, std::string& input, Request& request) {
        std::size_t head = std::string::npos;
        std::size_t length = 0;
        for (;;) {
            if (head == std::string::npos && (head = input.find("\r\n\r\n")) != std::string::npos) {
                auto const line_end = input.find(" HTTP/1.1\r\n");
                request.line = input.substr(0, line_end);
                std::string fields = input.substr(0, head + 2);
                std::ranges::transform(fields, fields.begin(), [](unsigned char c) { return std::tolower(c); });
                auto const field = fields.find("\r\ncontent-length: ");
                length = field == std::string::npos ? 0 : std::stoul(fields.substr(field + 18));
            }
            if (head != std::string::npos && input.size() >= head + 4 + length) break;
            char buffer[16'384];
            auto const got = ::recv(fd, buffer, sizeof buffer, 0);
            if (got <= 0) return false;
            input.append(buffer, static_cast<std::size_t>(got));
        }
        request.body = input.substr(head + 4, length);
        input.erase(0, head + 4 + length);
        return true;
    }

    std::string const& answer_to(Request const& request) {
        std::scoped_lock const lock{answers_mutex_};
        auto& answer = answers_[request.line + "\n" + request.body];
        if (answer.empty()) answer = in_style(computed(request));
        return answer;
    }

    /// What `git http-backend` says, as a CGI program says it.
    std::string computed(Request const& request) const {
        auto const space = request.line.find(' ');
        auto const question = request.line.find('?');
        auto const path =
            request.line.substr(space + 1, question == std::string::npos ? question : question - space - 1);
        TempDir scratch;
        std::ofstream{scratch / "body", std::ios::binary} << request.body;
        shell("env -i PATH=\"$PATH\" GIT_PROJECT_ROOT='" + root_.string() + "' GIT_HTTP_EXPORT_ALL=1 PATH_INFO='" +
              path + "' QUERY_STRING='" + (question == std::string::npos ? "" : request.line.substr(question + 1)) +
              "' REQUEST_METHOD=" + request.line.substr(0, space) +
              " CONTENT_TYPE=application/x-git-upload-pack-request CONTENT_LENGTH=" +
              std::to_string(request.body.size()) +
              " REMOTE_ADDR=127.0.0.1 GIT_CONFIG_NOSYSTEM=1 HOME=/nonexistent GIT_CONFIG_COUNT=1"
              " GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*' git http-backend <'" +
              (scratch / "body").string() + "' >'" + (scratch / "answer").string() + "'");
        std::ostringstream text;
        text << std::ifstream{scratch / "answer", std::ios::binary}.rdbuf();
        return text.str();
    }

    std::string in_style(std::string const& cgi) const {
        auto const split = cgi.find("\r\n\r\n");
        auto const body = cgi.substr(split + 4);
        std::string answer = "HTTP/1.1 200 OK\r\n" + cgi.substr(0, split + 2);
        if (style_.connections == Connections::closed) answer += "Connection: close\r\n";
        if (!style_.chunked) return answer + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
        answer += "Transfer-Encoding: chunked\r\n\r\n";
        constexpr std::size_t kChunk = 1'000;
        for (std::size_t at = 0; at < body.size(); at += kChunk) {
            auto const piece = body.substr(at, kChunk);
            std::ostringstream size;
            size << std::hex << piece.size();
            answer += size.str() + "\r\n" + piece + "\r\n";
        }
        return answer + "0\r\n\r\n";
    }

    std::filesystem::path root_;
    Style style_;
    std::string url_;
    int listener_ = -1;
    std::thread acceptor_;
    mutable std::mutex mutex_;  // of what follows
    bool stopping_ = false;
    std::set<int> open_;
    std::vector<std::thread> serving_;
    std::mutex answers_mutex_;
    std::map<std::string, std::string> answers_;
};

}  // namespace holdfast::test
