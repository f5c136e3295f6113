// modules/source/upstream.hpp: the port of what differs between the kinds of sources; sources.hpp does the rest for all.
#pragma once

#include "modules/base/async.hpp"
#include "modules/model/key.hpp"
#include "modules/model/spec.hpp"
#include "modules/source/ports.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::source {

namespace json = boost::json;

/// A Secret of the source's namespace that its spec names.
struct SecretWish {
    std::string name;
    std::string step;       // what Flux says it was doing: "failed to get credential"; empty: it names the Secret twice
    bool is_terse = false;  // says "secret 'a/b' not found" of one that is missing
};

/// What every source wishes for, whatever its kind calls it.
struct Wish {
    std::string host;  // who is asked, "example.com:443"; empty: nobody over a network
    model::Duration interval{};
    model::Duration timeout{};
    std::vector<SecretWish> secrets;  // read before upstream is asked
    std::string account;              // a service account whose pull secrets count too; empty: none
    std::string question;             // decides the content: what answers another one is not what is wished for
    std::optional<std::string> ignore;
    std::string layer_selector;  // of an OCIRepository, as JSON; empty: none
};

/// No passing of time mends it, only another wish: Stalled.
struct Refusal {
    std::string reason;
    std::string message;
};

/// Takes an artifact; nothing is begun when there is nothing new.
using BeginArtifact = std::function<Result<std::unique_ptr<ArtifactWriter>>()>;

struct Request {
    model::Key key;
    model::Spec spec;
    std::map<std::string, json::object> secrets{};  // those of Wish::secrets, by name
    std::vector<json::object> pull_secrets{};       // those of Wish::account
    std::string known;     // the revision that is held and serves this wish; empty: fetch whatever there is
    std::string metadata;  // that revision's
    std::chrono::milliseconds timeout{};
    BeginArtifact begin;

    json::object const* secret(std::string const& name) const {
        auto const found = secrets.find(name);
        return found == secrets.end() ? nullptr : &found->second;
    }
};

/// Upstream's answer.
struct Fetched {
    std::string revision;
    std::string stored;                     // Ready's message: "stored artifact for revision '…'"
    std::string news;                       // of the Event: "stored artifact for commit '…'"
    std::string up_to_date = {};            // of the Event for whoever asked, when it is; empty: none
    std::unique_ptr<ArtifactWriter> bytes;  // finished, alive until a row names them; null: `known` is still the newest
    std::string digest;
    std::uint64_t size = 0;
    std::string file;             // the last part of .status.artifact.path
    std::string metadata = "{}";  // .status.artifact.metadata, a JSON object of texts
};

/// Why there is none.
struct Miss {
    Error error;
    std::string reason;       // of the condition, in Flux's words
    bool of_storage = false;  // upstream did its part, we could not keep it
};

using Answer = std::expected<Fetched, Miss>;

class Upstream {
public:
    virtual ~Upstream() = default;

    /// Pure, and never fails: a URL of no use has no host.
    virtual Wish read(model::Spec const& spec) const = 0;

    /// Is a revision the same content wherever it comes from? A commit is, the version of a chart is not.
    virtual bool is_universal() const = 0;

    /// What is wrong with a wish that can be read.
    virtual std::optional<Refusal> refuses(model::Spec const& spec) const = 0;

    /// Asks once, within `timeout`. On the event loop: blocking work is done on a pool in here.
    virtual asio::awaitable<Answer> fetch(Request request) = 0;

    /// The reason Flux gives when the host gave no answer: "GitOperationFailed".
    virtual std::string_view unanswered() const = 0;

    /// What it was about to do, as its messages begin: "failed to checkout and determine revision".
    virtual std::string_view step() const = 0;
};

}  // namespace holdfast::source
