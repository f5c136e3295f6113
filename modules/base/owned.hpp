// modules/base/owned.hpp: what a C library made, freed by its own function: Owned<BIO, BIO_free_all>.
#pragma once

#include <memory>

namespace holdfast {

template <auto Free> struct FreeWith {
    template <class T> void operator()(T* pointer) const { Free(pointer); }
};
template <class T, auto Free> using Owned = std::unique_ptr<T, FreeWith<Free>>;

}  // namespace holdfast
