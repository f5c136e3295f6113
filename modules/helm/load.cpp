// modules/helm/load.cpp: files to charts: what goes where, subcharts inside of charts/, values of many documents.
#include "modules/helm/chart.hpp"
#include "modules/helm/text.hpp"
#include "modules/helm/typed.hpp"

namespace holdfast::helm {

using gotemplate::Value;

namespace {

/// Documents of a values text: lines that start with "---" end one.
Result<std::vector<std::string>> documents_of(std::string_view text) {
    std::vector<std::string> documents;
    std::string current;
    while (!text.empty()) {
        auto const end = text.find('\n');
        auto line = text.substr(0, end);
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.starts_with("---")) {
            auto const rest = trimmed(line.substr(3));
            if (!rest.empty() && rest[0] != '#')
                return fail(Errc::invalid_input,
                            "error reading yaml document: invalid Yaml document separator: " + std::string{rest});
            if (!current.empty()) {
                documents.push_back(std::exchange(current, {}));
                continue;
            }
        }
        current += std::string{line} + '\n';
    }
    if (!current.empty()) documents.push_back(std::move(current));
    return documents;
}

class Loader {
public:
    Loader(Log* log, std::size_t depth) : log_(log), depth_(depth) {}

    Result<ChartPtr> load(std::vector<File> files) {
        if (depth_ > kChartDepthMax) return fail(Errc::limit, "charts nested too deep");
        for (auto const& file : files) {
            if (file.name != "Chart.yaml") continue;
            has_metadata_ = true;
            if (auto done = decode_metadata(file.data, chart_->metadata); !done)
                return fail(std::move(done), "cannot load Chart.yaml");
            if (chart_->metadata.api_version.empty()) chart_->metadata.api_version = "v1";
        }
        for (auto& file : files) {
            if (auto placed = place(file); !placed) return fail(std::move(placed));
        }
        if (!has_metadata_) return fail(Errc::invalid_input, "Chart.yaml file is missing");
        if (auto valid = validate_metadata(chart_->metadata); !valid) return fail(std::move(valid));
        for (auto& [name, members] : subcharts_) {
            if (name.starts_with('_') || name.starts_with('.')) continue;
            auto chart = subchart(name, members);
            if (!chart)
                return fail(std::move(chart), "error unpacking subchart " + name + " in " + chart_->metadata.name);
            chart_->dependencies.push_back(*chart);
        }
        return chart_;
    }

private:
    Result<void> place(File& file) {
        auto const& name = file.name;
        if (name == "Chart.yaml") return {};
        if (name == "Chart.lock") return check_lock(file);
        if (name == "values.yaml") {
            auto values = load_values(file.data);
            if (!values) return fail(std::move(values), "cannot load values.yaml");
            chart_->values = std::move(*values);
        } else if (name == "values.schema.json") {
            chart_->schema = std::move(file.data);
        } else if (name == "requirements.yaml") {
            has_metadata_ = true;
            warn_v2(
                "Warning: Dependencies are handled in Chart.yaml since apiVersion \"v2\". We recommend migrating dependencies to Chart.yaml.");
            if (auto done = decode_metadata(file.data, chart_->metadata); !done)
                return fail(std::move(done), "cannot load requirements.yaml");
            if (is_v1()) chart_->files.push_back(std::move(file));
        } else if (name == "requirements.lock") {
            has_metadata_ = true;
            if (auto done = check_lock(file); !done) return done;
            warn_v2(
                "Warning: Dependency locking is handled in Chart.lock since apiVersion \"v2\". We recommend migrating to Chart.lock.");
            if (is_v1()) chart_->files.push_back(std::move(file));
        } else if (name.starts_with("templates/")) {
            chart_->templates.push_back(std::move(file));
        } else if (name.starts_with("charts/") && extension(name) != ".prov") {
            auto rest = name.substr(7);
            auto const folder = rest.substr(0, rest.find('/'));
            subcharts_[folder].push_back({std::move(rest), std::move(file.data)});
        } else {
            chart_->files.push_back(std::move(file));
        }
        return {};
    }

    /// The lock is not used for rendering, but a broken one stops Helm.
    static Result<void> check_lock(File const& file) {
        static constexpr TypedField kLocked[] = {{"name"}, {"version"}, {"repository"}};
        static constexpr TypedField kLock[] = {{"digest"},
                                               {"dependencies", TypedField::Kind::structure_list, kLocked,
                                                "[]*v2.Dependency", "Dependency", "v2.Dependency"}};
        auto decoded = decode_yaml(file.data, {"Lock", "v2.Lock", kLock});
        if (!decoded) return fail(std::move(decoded), "cannot load " + file.name);
        return {};
    }

    Result<ChartPtr> subchart(std::string const& name, std::vector<File>& members) {
        if (extension(name) == ".tgz") {
            if (members[0].name != name) {
                return fail(Errc::invalid_input, "error unpacking subchart tar in " + chart_->metadata.name +
                                                     ": expected " + name + ", got " + members[0].name);
            }
            auto files = unpack_archive(members[0].data);
            if (!files) return fail(std::move(files));
            return load_files(std::move(*files), log_, depth_ + 1);
        }
        std::vector<File> files;
        for (auto& member : members) {
            auto const slash = member.name.find('/');
            if (slash == member.name.npos) continue;
            files.push_back({member.name.substr(slash + 1), std::move(member.data)});
        }
        return load_files(std::move(files), log_, depth_ + 1);
    }

    bool is_v1() const { return chart_->metadata.api_version == "v1"; }
    void warn_v2(std::string_view text) {
        if (!is_v1() && log_ != nullptr) log_->push_back(log_line("INFO", text));
    }

    std::shared_ptr<Chart> chart_ = std::make_shared<Chart>();
    Log* log_;
    std::size_t depth_;
    bool has_metadata_ = false;
    std::map<std::string, std::vector<File>> subcharts_;
};

}  // namespace

Result<Value> load_values(std::string_view text) {
    auto documents = documents_of(text);
    if (!documents) return fail(std::move(documents));
    Value values = Value::map();
    for (auto const& document : *documents) {
        auto map = read_yaml_map(document);
        if (!map) return fail(std::move(map), "cannot unmarshal yaml document");
        if (map->is_nil()) continue;
        values = values.size() == 0 ? *map : merge_maps(values, *map);
    }
    return values;
}

Value merge_maps(Value const& base, Value const& over) {
    Value out = Value::map();
    for (auto const& [key, value] : base.entries()) out.set(key, value);
    for (auto const& [key, value] : over.entries()) {
        if (value.is_map()) {
            auto const* existing = out.find(key.as_string());
            if (existing != nullptr && existing->is_map()) {
                auto merged = merge_maps(existing->unboxed(), value.unboxed());
                out.set(key, std::move(merged).boxed());
                continue;
            }
        }
        out.set(key, value);
    }
    return out;
}

Result<ChartPtr> load_files(std::vector<File> files, Log* log, std::size_t depth) {
    return Loader{log, depth}.load(std::move(files));
}

}  // namespace holdfast::helm
