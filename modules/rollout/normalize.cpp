// modules/rollout/normalize.cpp: Secrets, ports, status, and fields nobody declared.
#include "modules/rollout/normalize.hpp"

#include "modules/base/base64.hpp"

#include <array>
#include <charconv>
#include <optional>
#include <vector>

namespace holdfast::rollout {

namespace json = boost::json;

namespace {

json::object* object_below(json::object& object, std::initializer_list<std::string_view> path) {
    json::object* at = &object;
    for (std::string_view const name : path) {
        auto* value = at->if_contains(name);
        at = value == nullptr ? nullptr : value->if_object();
        if (at == nullptr) return nullptr;
    }
    return at;
}

void set_tcp(json::object& holder) {
    auto* ports = holder.if_contains("ports");
    if (ports == nullptr || !ports->is_array()) return;
    for (json::value& port : ports->get_array()) {
        auto* one = port.if_object();
        if (one != nullptr && !one->contains("protocol")) (*one)["protocol"] = "TCP";
    }
}

void set_tcp_of_containers(json::object* pod_spec) {
    if (pod_spec == nullptr) return;
    auto* containers = pod_spec->if_contains("containers");
    if (containers == nullptr || !containers->is_array()) return;
    for (json::value& container : containers->get_array()) {
        if (auto* one = container.if_object()) set_tcp(*one);
    }
}

void encode_string_data(json::object& secret) {
    auto* plain = secret.if_contains("stringData");
    if (plain == nullptr || !plain->is_object()) return;
    if (auto* data = secret.if_contains("data"); data == nullptr || !data->is_object()) secret["data"] = json::object{};
    json::object& data = secret["data"].get_object();
    for (auto const& member : secret["stringData"].get_object()) {
        // What is no text is left for the server to refuse.
        if (!member.value().is_string()) return;
        data[member.key()] = base64_encode(member.value().get_string());
    }
    secret.erase("stringData");
}

/// One step of a path in the server's words: a member, an index, or a key of a list's element.
struct Step {
    std::string member;
    std::optional<std::size_t> index;
    std::vector<std::pair<std::string, std::string>> keys;
};

/// ".spec.containers[name=\"web\"].surprise"
std::vector<Step> read_path(std::string_view path) {
    std::vector<Step> steps;
    while (!path.empty()) {
        if (path.front() == '.') {
            auto const end = path.find_first_of(".[", 1);
            steps.push_back({.member = std::string{path.substr(1, end == std::string_view::npos ? end : end - 1)}});
            path = end == std::string_view::npos ? std::string_view{} : path.substr(end);
        } else if (path.front() == '[') {
            auto const end = path.find(']');
            if (end == std::string_view::npos) return {};
            std::string_view inside = path.substr(1, end - 1);
            Step step;
            if (!inside.empty() && inside.find_first_not_of("0123456789") == std::string_view::npos &&
                inside.size() < 9) {
                std::size_t index = 0;
                std::from_chars(inside.data(), inside.data() + inside.size(), index);
                step.index = index;
            } else {
                while (!inside.empty()) {
                    auto const comma = inside.find(',');
                    std::string_view pair = inside.substr(0, comma);
                    inside = comma == std::string_view::npos ? std::string_view{} : inside.substr(comma + 1);
                    auto const equal = pair.find('=');
                    if (equal == std::string_view::npos) return {};
                    std::string_view value = pair.substr(equal + 1);
                    if (value.size() >= 2 && value.front() == '"') value = value.substr(1, value.size() - 2);
                    step.keys.emplace_back(pair.substr(0, equal), value);
                }
            }
            steps.push_back(std::move(step));
            path = path.substr(end + 1);
        } else {
            return {};
        }
    }
    return steps;
}

bool has_keys(json::value const& element, std::vector<std::pair<std::string, std::string>> const& keys) {
    auto const* object = element.if_object();
    if (object == nullptr || keys.empty()) return false;
    for (auto const& [name, wanted] : keys) {
        auto const* value = object->if_contains(name);
        if (value == nullptr) return false;
        bool const same = value->is_string()  ? std::string_view{value->get_string()} == wanted
                          : value->is_int64() ? std::to_string(value->get_int64()) == wanted
                                              : false;
        if (!same) return false;
    }
    return true;
}

bool erase_at(json::object& object, std::vector<Step> const& steps) {
    if (steps.empty() || steps.back().member.empty()) return false;
    json::value* at = nullptr;
    json::object* holder = &object;
    for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
        Step const& step = steps[i];
        if (!step.member.empty()) {
            if (holder == nullptr) return false;
            at = holder->if_contains(step.member);
        } else {
            auto* list = at == nullptr ? nullptr : at->if_array();
            if (list == nullptr) return false;
            json::value* found = nullptr;
            if (step.index && *step.index < list->size()) found = &(*list)[*step.index];
            for (json::value& one : *list) {
                if (!step.index && found == nullptr && has_keys(one, step.keys)) found = &one;
            }
            at = found;
        }
        if (at == nullptr) return false;
        holder = at->if_object();
    }
    return holder != nullptr && holder->erase(steps.back().member) > 0;
}

}  // namespace

void normalize(kube::Object& object) {
    auto const gvk = kube::kind_of(object);
    if (!gvk) return;
    bool const built_in = is_built_in(gvk->group);
    if (auto* metadata = object_below(object, {"metadata"})) metadata->erase("creationTimestamp");
    bool const defines = gvk->kind == "CustomResourceDefinition" && gvk->group == "apiextensions.k8s.io";
    if (!defines) object.erase("status");
    if (!built_in) return;
    std::string_view const kind = gvk->kind;
    if (gvk->group.empty() && kind == "Secret") encode_string_data(object);
    if (gvk->group.empty() && kind == "Service") {
        if (auto* spec = object_below(object, {"spec"})) set_tcp(*spec);
    }
    if (gvk->group.empty() && kind == "Pod") set_tcp_of_containers(object_below(object, {"spec"}));
    if (kind == "Deployment" || kind == "StatefulSet" || kind == "DaemonSet" || kind == "ReplicaSet" || kind == "Job") {
        set_tcp_of_containers(object_below(object, {"spec", "template", "spec"}));
    }
    if (kind == "CronJob")
        set_tcp_of_containers(object_below(object, {"spec", "jobTemplate", "spec", "template", "spec"}));
}

bool is_sops_encrypted(kube::Object const& object) {
    auto const* sops = kube::find_object(object, {"sops"});
    return sops != nullptr && kube::find_string(object, {"kind"}) == "Secret" &&
           !kube::find_string(*sops, {"mac"}).empty();
}

bool is_built_in(std::string_view group) {
    constexpr std::array<std::string_view, 4> kWithoutDot{"", "apps", "batch", "autoscaling"};
    for (std::string_view const one : kWithoutDot) {
        if (group == one) return true;
    }
    return group == "policy" || group == "extensions" || group == "rbac.authorization.k8s.io" ||
           group == "networking.k8s.io" || group == "storage.k8s.io" || group == "scheduling.k8s.io" ||
           group == "coordination.k8s.io" || group == "discovery.k8s.io" || group == "node.k8s.io" ||
           group == "admissionregistration.k8s.io" || group == "certificates.k8s.io" || group == "events.k8s.io" ||
           group == "flowcontrol.apiserver.k8s.io" || group == "apiextensions.k8s.io";
}

bool drop_undeclared(kube::Object& object, std::string_view message) {
    constexpr std::string_view kWords = ": field not declared in schema";
    bool dropped = false;
    for (std::size_t end = message.find(kWords); end != std::string_view::npos; end = message.find(kWords, end + 1)) {
        auto const start = message.substr(0, end).find_last_of(" \n");
        std::string_view const path =
            start == std::string_view::npos ? message.substr(0, end) : message.substr(start + 1, end - start - 1);
        dropped = erase_at(object, read_path(path)) || dropped;
    }
    return dropped;
}

}  // namespace holdfast::rollout
