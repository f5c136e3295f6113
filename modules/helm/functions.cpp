// modules/helm/functions.cpp: include, tpl, required, fail, lookup.
#include "modules/helm/functions.hpp"

#include "modules/helm/convert.hpp"
#include "modules/helm/sprig_crypto.hpp"
#include "modules/text/gotemplate/sprig.hpp"
#include "modules/text/gotemplate/strconv.hpp"

namespace holdfast::helm {

using gotemplate::Call;
using gotemplate::Kind;
using gotemplate::TemplateSet;
using gotemplate::Value;

namespace {

constexpr int kIncludeDepthMax = 1000;  // of one name, as Helm
constexpr int kTplDepthMax = 200;       // tpl inside of tpl; Helm runs until Go's stack is used up

HelmExecutor& executor_of(Call& call) { return static_cast<HelmExecutor&>(call.executor()); }

Result<Value> invalid(std::string message) { return fail(Errc::invalid_input, std::move(message)); }

/// Marks a message so that the renderer prints it alone.
std::string marked(std::string_view message) { return "HELM_ERR_START" + std::string{message} + "HELM_ERR_END"; }

Result<Value> include(Call& call) {
    auto& executor = executor_of(call);
    std::string const name{call.text(0)};
    auto [at, fresh] = executor.included.try_emplace(name, 0);
    if (at->second > kIncludeDepthMax)
        return invalid("rendering template has a nested reference name: " + name + ": unable to execute template");
    ++at->second;
    std::string out;
    bool const good = executor.execute(name, call[1], out);
    --at->second;
    if (!good) return executor.fail_with_cause("");
    if (auto charged = call.charge_bytes(out.size()); !charged) return fail(std::move(charged));
    return Value::string(out);
}

/// Puts the executor's set back, also when a template fails.
class SetScope {
public:
    SetScope(HelmExecutor& executor, TemplateSet const& set) : executor_(executor), before_(executor.set()) {
        executor.set_set(set);
        ++executor.tpl_depth;
    }
    SetScope(SetScope const&) = delete;
    SetScope& operator=(SetScope const&) = delete;
    ~SetScope() {
        executor_.set_set(before_);
        --executor_.tpl_depth;
    }

private:
    HelmExecutor& executor_;
    TemplateSet const& before_;
};

/// A text without actions is its own result.
bool is_plain(std::string_view text) { return text.find("{{") == text.npos; }

Result<Value> tpl(Call& call) {
    auto& executor = executor_of(call);
    auto const text = call.text(0);
    if (is_plain(text)) {
        if (auto charged = call.charge_bytes(text.size()); !charged) return fail(std::move(charged));
        return text.find("<no value>") == text.npos ? Value{call[0]}
                                                    : Value::string(replace_all(std::string{text}, "<no value>", ""));
    }
    if (auto charged = call.charge_steps(text.size() / 16 + 1); !charged) return fail(std::move(charged));
    if (executor.tpl_depth >= kTplDepthMax)
        return fail(Errc::limit, "tpl nested deeper than " + std::to_string(kTplDepthMax));
    auto parsed = executor.tpl_cache.parsed(executor.set(), text);
    if (!parsed)
        return fail(parsed.error().code,
                    "cannot parse template " + gotemplate::quote(text) + ": " + parsed.error().message);
    TemplateSet child{executor.set().funcs(), &executor.set()};
    child.add(*parsed);
    std::string out;
    SetScope const scope{executor, child};
    // By the tree: the text may be empty while an outer tpl's, of the same name, is not.
    if (!executor.execute(*(*parsed)->at("gotpl"), call[1], out))
        return executor.fail_with_cause("error during tpl function execution for " + gotemplate::quote(text) + ": ");
    if (auto charged = call.charge_bytes(out.size()); !charged) return fail(std::move(charged));
    return Value::string(replace_all(std::move(out), "<no value>", ""));
}

Result<Value> required(Call& call) {
    Value const& value = call[1];
    bool const missing = value.kind() == Kind::invalid ||
                         (value.is_string() && value.unboxed().type().name == "string" && value.size() == 0);
    if (missing) return invalid(marked(call.text(0)));
    return value;
}

Result<Value> fail_with(Call& call) { return invalid(marked(call.text(0))); }

Result<Value> lookup(Call& call) {
    auto* port = executor_of(call).lookup_port;
    if (port == nullptr) return Value::map();
    return port->find(call.text(0), call.text(1), call.text(2), call.text(3));
}

Result<Value> no_host(Call&) { return Value::string(""); }

}  // namespace

Result<TemplateSet::Parsed> TplCache::parsed(TemplateSet const& set, std::string_view text) {
    if (auto const found = by_text_.find(std::string{text}); found != by_text_.end()) return found->second;
    auto made = set.parse_only("gotpl", text);
    if (!made) return made;
    std::size_t const cost = text.size() * 8 + 1024;
    if (bytes_ + cost > bytes_max_) {
        by_text_.clear();
        bytes_ = 0;
    }
    bytes_ += cost;
    by_text_.emplace(text, *made);
    return made;
}

void add_helm_functions(gotemplate::FuncMap& funcs) {
    gotemplate::add_sprig(funcs);
    add_sprig_crypto(funcs);
    funcs.erase("env");
    funcs.erase("expandenv");
    funcs.add("include", "string, any -> string", include);
    funcs.add("tpl", "string, any -> string", tpl);
    funcs.add("required", "string, any -> any", required);
    funcs.add("fail", "string -> string", fail_with);
    funcs.add("lookup", "string, string, string, string -> map", lookup);
    funcs.add("getHostByName", "string -> string", no_host);
    add_conversions(funcs);
}

}  // namespace holdfast::helm
