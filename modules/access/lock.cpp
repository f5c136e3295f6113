// modules/access/lock.cpp: the lock of the node holds for everything.
#include "modules/access/lock.hpp"

namespace holdfast::access {

Lock Locks::of(model::Entry const&) const { return node_; }

}  // namespace holdfast::access
