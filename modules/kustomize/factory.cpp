// modules/kustomize/factory.cpp: how kustomize splits, reads and checks a stream of manifests.
#include "modules/kustomize/factory.hpp"

#include "modules/base/limits.hpp"
#include "modules/kustomize/context.hpp"
#include "modules/kustomize/text.hpp"
#include "modules/patch/field.hpp"
#include "modules/yaml/json.hpp"
#include "modules/yaml/parse.hpp"

#include <deque>

namespace holdfast::kustomize {
namespace {

using yaml::Node;

/// splitDocuments: at lines that start with "---", except the very first of the text.
Result<std::vector<std::string_view>> split_documents(std::string_view text) {
    std::vector<std::string_view> documents;
    if (text.empty()) return documents;
    std::size_t previous = 0, from = 0;
    for (;;) {
        auto const at = text.find("\n---", from);
        if (at == std::string_view::npos) break;
        auto const end = text.find('\n', at + 1);
        if (end == std::string_view::npos) break;
        auto const rest = trim_space(text.substr(at + 4, end - at - 4));
        if (!rest.empty() && rest.front() != '#') {
            return fail(Errc::invalid_input,
                        "invalid document separator: " + std::string{trim_space(text.substr(at, end - at))});
        }
        if (documents.size() == limits::kYamlDocumentsMax) {
            return fail(Errc::limit, "more than " + std::to_string(documents.size()) + " documents in one file");
        }
        // The line break before the separator belongs to the document, as go-yaml gets it.
        documents.push_back(text.substr(previous, at + 1 - previous));
        previous = from = end + 1;
    }
    documents.push_back(text.substr(previous));
    return documents;
}

std::string go_map(Node const* map) {
    std::string out = "map[";
    if (map && map->is_map()) {
        StringMap sorted;
        for (std::size_t i = 0; i + 1 < map->size(); i += 2)
            sorted[std::string{map->item(i)->value()}] = map->item(i + 1)->value();
        for (auto const& [key, value] : sorted) {
            if (out.size() > 4) out += ' ';
            out += key + ":" + value;
        }
    }
    return out + "]";
}

std::string_view text_of(Node const* map, std::string_view key) {
    auto const* node = map ? map->find(key) : nullptr;
    return patch::is_nil_or_empty(node) ? std::string_view{} : node->value();
}

/// fmt's %v of a ResourceMeta.
std::string go_meta(Node const* root) {
    auto const* meta = root->find("metadata");
    return "{{" + std::string{text_of(root, "apiVersion")} + " " + std::string{text_of(root, "kind")} + "} {{" +
           std::string{text_of(meta, "name")} + " " + std::string{text_of(meta, "namespace")} + "} " +
           go_map(meta ? meta->find("labels") : nullptr) + " " + go_map(meta ? meta->find("annotations") : nullptr) +
           "}}";
}

bool has_metadata(Node const* root) {
    if (!patch::is_nil_or_empty(root->find("apiVersion")) || !patch::is_nil_or_empty(root->find("kind"))) return true;
    auto const* meta = root->find("metadata");
    if (patch::is_nil_or_empty(meta)) return false;
    for (auto const* key : {"name", "namespace", "labels", "annotations"}) {
        if (!patch::is_nil_or_empty(meta->find(key))) return true;
    }
    return false;
}

Result<void> add_checked(std::deque<Node*>& out, Node* root) {
    if (patch::is_nil_or_empty(root)) return {};
    if (auto ok = check_metadata(root); !ok) return ok;
    out.push_back(root);
    return {};
}

/// kio.FromBytes
Result<std::vector<Node*>> read_nodes(Context& context, std::string_view text) {
    std::string without_cr;
    if (text.find("\r\n") != std::string_view::npos) {
        without_cr.reserve(text.size());
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
            without_cr += text[i];
        }
        text = without_cr;
    }
    auto documents = split_documents(text);
    if (!documents) return fail(std::move(documents));
    std::vector<Node*> roots;
    for (auto const document : *documents) {
        auto node = yaml::parse(context.arena, document, {.comments = false});
        if (!node) return fail(std::move(node), "MalformedYAMLError");
        auto* root = *node ? yaml::root_of(*node) : nullptr;
        if (patch::is_null(root)) continue;
        if (documents->size() == 1 && root->is_map()) {
            auto const kind = text_of(root, "kind");
            auto* const items = root->find("items");
            if ((kind == "List" || kind == "ResourceList") && (items || root->find("functionConfig"))) {
                if (items) roots.insert(roots.end(), items->items().begin(), items->items().end());
                continue;
            }
        }
        roots.push_back(root);
    }
    for (auto& root : roots) {
        auto plain = remove_anchors(context.arena, root);
        if (!plain) return fail(std::move(plain));
        root = *plain;
    }
    return roots;
}

/// A FooList becomes its items, at the end of the queue. Returns false when it stays an object.
Result<bool> unroll(Context& context, Node* list, std::deque<Node*>& queue) {
    auto const kind = text_of(list, "kind");
    auto value = yaml::to_json(*list);
    if (!value) {
        return fail(value.error().code,
                    "trouble expanding list of " + std::string{kind} + "; received error " + value.error().message);
    }
    auto const* const items = value->as_object().if_contains("items");
    if (!items) return false;
    if (items->is_null()) return true;
    if (!items->is_array()) {
        auto const* type = items->is_object()   ? "map[string]interface {}"
                           : items->is_string() ? "string"
                           : items->is_bool()   ? "bool"
                           : items->is_double() ? "float64"
                                                : "int";
        return fail(Errc::invalid_input, "expected array in " + std::string{kind} + "/items, but found " + type);
    }
    for (auto const& item : items->get_array()) {
        if (item.is_null()) continue;
        if (auto ok = add_checked(queue, yaml::from_json(context.arena, item)); !ok) return fail(std::move(ok));
    }
    return true;
}

}  // namespace

Result<void> check_metadata(Node const* root) {
    if (!root->is_map() || !has_metadata(root)) return fail(Errc::invalid_input, "missing Resource metadata");
    auto const kind = text_of(root, "kind");
    if (kind.empty()) return fail(Errc::invalid_input, "missing kind in object " + go_meta(root));
    if (kind.ends_with("List")) return {};
    if (text_of(root->find("metadata"), "name").empty()) {
        return fail(Errc::invalid_input, "missing metadata.name in object " + go_meta(root));
    }
    return {};
}

std::string name_file(std::string message, std::string_view path) {
    if (message.find("error converting YAML to JSON") != std::string::npos ||
        message.find("error unmarshaling JSON") != std::string::npos) {
        return "YAML file [" + std::string{path} + "] encounters a format error.\n" + message + "\n";
    }
    if (message.find("MalformedYAMLError") != std::string::npos) return message + " in File: " + std::string{path};
    return message;
}

Result<std::vector<Resource*>> parse_objects(Context& context, std::string_view text) {
    auto nodes = read_nodes(context, text);
    if (!nodes) return fail(std::move(nodes));
    std::deque<Node*> queue;
    for (auto* const node : *nodes) {
        if (auto ok = add_checked(queue, node); !ok) return fail(std::move(ok));
    }
    std::vector<Resource*> out;
    std::size_t unrolled = 0;
    while (!queue.empty()) {
        auto* const node = queue.front();
        queue.pop_front();
        if (text_of(node, "kind").ends_with("List")) {
            if (++unrolled > limits::kKustomizeObjectsMax) return fail(Errc::limit, "lists of lists nest too deep");
            auto gone = unroll(context, node, queue);
            if (!gone) return fail(std::move(gone));
            if (*gone) continue;
        }
        auto object = context.adopt(node);
        if (!object) return fail(std::move(object));
        out.push_back(*object);
    }
    if (auto ok = context.check_memory(); !ok) return fail(std::move(ok));
    return out;
}

}  // namespace holdfast::kustomize
