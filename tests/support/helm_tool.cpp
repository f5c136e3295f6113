// tests/support/helm_tool.cpp: `holdfast template` as a program of its own, for tests and comparisons, and the engine alone.
//
// helm_tool [template] NAME CHART ...   as `holdfast template`
// helm_tool engine RUNS CHART           renders a loaded chart RUNS times: "first-ms later-ms bytes", later the CPU time of one of the rest
#include "daemon/cli/template.hpp"
#include "modules/helm/helm.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>

namespace {

using namespace holdfast;

class NoRandom final : public gotemplate::Random {
public:
    void fill(std::span<std::byte> out) override {
        for (auto& byte : out) byte = std::byte{7};
    }
};

class NowClock final : public gotemplate::Clock {
public:
    std::chrono::system_clock::time_point now() override { return std::chrono::system_clock::now(); }
};

double cpu_ms() { return static_cast<double>(std::clock()) * 1e3 / CLOCKS_PER_SEC; }

int run_engine(int runs, char const* path) {
    auto const chart = helm::load_path(path);
    if (!chart) return std::fprintf(stderr, "%s\n", chart.error().message.c_str()), 1;
    NoRandom random;
    NowClock clock;
    helm::Engine engine;
    helm::RenderOptions options;
    options.release = {.name = "rel", .namespace_name = "default", .revision = 1, .is_upgrade = false};
    std::size_t bytes = 0;
    double first = 0;
    auto start = cpu_ms();
    for (int i = 0; i < runs; ++i) {
        auto const rendered =
            engine.render(**chart, gotemplate::Value::map(), options, {.random = &random, .clock = &clock});
        if (!rendered) return std::fprintf(stderr, "%s\n", rendered.error().message.c_str()), 1;
        bytes = 0;
        for (auto const& manifest : rendered->manifests) bytes += manifest.content.size();
        if (i > 0) continue;
        first = cpu_ms() - start;
        start = cpu_ms();
    }
    std::printf("%.3f %.3f %zu\n", first, runs > 1 ? (cpu_ms() - start) / (runs - 1) : first, bytes);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 4 && std::string_view{argv[1]} == "engine") return run_engine(std::atoi(argv[2]), argv[3]);
    bool const named = argc > 1 && std::string_view{argv[1]} == "template";
    return daemon::run_template(named ? argc - 1 : argc, named ? argv + 1 : argv);
}
