// modules/yaml/value_events.hpp: go-yaml v3's encoder for values that are no JSON: one call for each thing it writes.
#pragma once

#include "modules/base/error.hpp"
#include "modules/yaml/emit.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace holdfast::yaml {

/// One document. After a call that gives false nothing more may be written; finish tells why.
class ValueEvents {
public:
    explicit ValueEvents(EmitOptions options);
    ~ValueEvents();

    bool plain(std::string_view text);   // null, true, a number, a time: as it is
    bool string(std::string_view text);  // quoted or literal where it has to be, !!binary when it is no UTF-8
    bool start_map(bool empty);
    bool end_map();
    bool start_list(bool empty);
    bool end_list();

    Result<std::string> finish();

private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace holdfast::yaml
