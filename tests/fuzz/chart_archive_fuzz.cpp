// tests/fuzz/chart_archive_fuzz.cpp: any bytes as a chart archive, and what loads is rendered under a small budget.
// Looks for: crashes, undefined behaviour, hangs, files that lie outside of the chart.
#include "modules/helm/helm.hpp"

#include <cstdint>
#include <cstdlib>

using namespace holdfast;

namespace {

class NoRandom : public gotemplate::Random {
public:
    void fill(std::span<std::byte> out) override { std::ranges::fill(out, std::byte{1}); }
};

class NoClock : public gotemplate::Clock {
public:
    std::chrono::system_clock::time_point now() override { return {}; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const bytes{reinterpret_cast<char const*>(data), size};
    if (auto const files = helm::unpack_archive(bytes)) {
        for (auto const& file : *files) {
            if (file.name.starts_with('/') || file.name.starts_with("..") || file.name.find("/../") != file.name.npos)
                std::abort();
        }
    }
    auto const chart = helm::load_archive(bytes);
    if (!chart) return 0;
    NoRandom random;
    NoClock clock;
    helm::Engine engine;
    helm::RenderOptions options;
    options.budget = {.steps_max = 100'000, .output_bytes_max = 1u << 20};
    (void)engine.render(**chart, gotemplate::Value::map(), options, {.random = &random, .clock = &clock}).has_value();
    return 0;
}
