// modules/reconcile/dependencies.cpp: Tarjan's strongly connected components, without recursion, and a walk inside of one.
#include "modules/reconcile/dependencies.hpp"

#include "modules/model/kinds/kustomization.hpp"

#include <algorithm>
#include <deque>

namespace holdfast::reconcile {

using model::Key;
using model::Kind;

void Dependencies::read(model::Registry const& registry) {
    keys_.clear();
    numbers_.clear();
    needs_.clear();
    auto const number = [this](Key const& key) {
        auto const [found, is_new] = numbers_.try_emplace(key, static_cast<Node>(keys_.size()));
        if (is_new) {
            keys_.push_back(&found->first);
            needs_.emplace_back();
        }
        return found->second;
    };
    for (auto const& [key, entry] : registry.all()) {
        if (key.kind != Kind::kustomization || !entry->spec) continue;
        Node const from = number(key);
        for (model::NamespacedName const& ref : entry->spec_as<model::KustomizationSpec>().depends_on) {
            Node const need = number({Kind::kustomization, ref.ns, ref.name});  // which may move needs_
            needs_[from].push_back(need);
        }
    }
    find_circles();
    wishes_ = registry.wishes();
}

void Dependencies::find_circles() {
    constexpr Node kNone = UINT32_MAX;
    std::size_t const count = keys_.size();
    circle_.assign(count, kNone);
    std::vector<Node> seen(count, kNone);  // in which order
    std::vector<Node> lowest(count, kNone);
    std::vector<Node> open;  // seen, and of no circle yet
    struct Step {
        Node node;
        std::size_t next = 0;  // of its dependencies
    };
    std::vector<Step> path;
    Node order = 0;
    auto const enter = [&](Node node) {
        seen[node] = lowest[node] = order++;
        open.push_back(node);
        path.push_back({node});
    };
    for (Node root = 0; root < count; ++root) {
        if (seen[root] != kNone) continue;
        enter(root);
        while (!path.empty()) {
            Node const node = path.back().node;
            if (path.back().next < needs_[node].size()) {
                Node const need = needs_[node][path.back().next++];
                if (seen[need] == kNone) enter(need);
                else if (circle_[need] == kNone) lowest[node] = std::min(lowest[node], seen[need]);
                continue;
            }
            path.pop_back();
            if (!path.empty()) lowest[path.back().node] = std::min(lowest[path.back().node], lowest[node]);
            if (lowest[node] != seen[node]) continue;
            while (circle_[node] == kNone) {
                circle_[open.back()] = node;
                open.pop_back();
            }
        }
    }
}

/// Breadth first from `first` back to `from`, so that the way shown is the shortest.
std::string Dependencies::circle(model::Registry const& registry, Key const& from, Key const& first,
                                 access::Lock const& lock, std::chrono::nanoseconds now) {
    if (!wishes_ || (*wishes_ != registry.wishes() && now - read_at_ >= kAgeMax)) {
        read(registry);
        read_at_ = now;
    }
    auto const start = numbers_.find(first);
    auto const end = numbers_.find(from);
    if (start == numbers_.end() || end == numbers_.end()) return "";
    if (circle_[start->second] != circle_[end->second]) return "";
    std::map<Node, Node> came_from{{start->second, end->second}};
    std::deque<Node> open{start->second};
    while (!open.empty() && !came_from.contains(end->second)) {
        Node const one = open.front();
        open.pop_front();
        for (Node const need : needs_[one]) {
            if (circle_[need] != circle_[one] || !lock.reaches(from.ns, keys_[need]->ns)) continue;
            if (came_from.try_emplace(need, one).second) open.push_back(need);
        }
    }
    if (!came_from.contains(end->second)) return "";  // by way of another namespace, or of an older wish
    std::string text = from.name;
    Node at = end->second;
    do {
        at = came_from.at(at);
        text = keys_[at]->name + " -> " + text;
    } while (at != end->second);
    return text;
}

}  // namespace holdfast::reconcile
