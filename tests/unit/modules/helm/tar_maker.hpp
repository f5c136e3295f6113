// tests/unit/modules/helm/tar_maker.hpp: .tgz bytes with whatever headers a test wants.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::helm::testing {

struct Entry {
    std::string name;
    std::string data{};
    char type = '0';
    std::string link{};
    std::string size_field{};  // replaces the octal size
    std::string pax{};         // a pax header in front: "path=..." records
};

std::string make_tar(std::vector<Entry> const& entries);
std::string gzip(std::string_view bytes);
std::string make_tgz(std::vector<Entry> const& entries);

/// A chart of one template, values and Chart.yaml, in folder `name`.
std::vector<Entry> small_chart(std::string_view template_text, std::string_view values = "",
                               std::string_view name = "c");

}  // namespace holdfast::helm::testing
