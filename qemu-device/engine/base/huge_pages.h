// SPDX-License-Identifier: GPL-2.0-or-later
// Arrays in huge pages where they are large enough and the system has some. With thousands of
// objects, each used now and then, finding the page costs as much as reading from it.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <memory>
#include <new>

namespace vrnic {

inline constexpr std::size_t kHugePage = 2 << 20;  // bytes

template <typename T>
struct ArrayDeleter {
    std::size_t count = 0;
    std::align_val_t alignment{alignof(T)};
    void operator()(T* array) const {
        std::destroy_n(array, count);
        ::operator delete(array, alignment);
    }
};
template <typename T>
using Array = std::unique_ptr<T[], ArrayDeleter<T>>;

// Each entry is value-initialized. Throws std::bad_alloc.
template <typename T>
Array<T> make_array(std::size_t count) {
    const bool huge = count * sizeof(T) >= kHugePage / 2;
    const std::align_val_t alignment{huge ? kHugePage : alignof(T)};
    std::size_t bytes = count * sizeof(T);
    if (huge) bytes = (bytes + kHugePage - 1) / kHugePage * kHugePage;
    auto* memory = static_cast<T*>(::operator new(bytes, alignment));
    if (huge) (void)::madvise(memory, bytes, MADV_HUGEPAGE);  // advice: it may be refused
    std::uninitialized_value_construct_n(memory, count);
    return Array<T>(memory, {count, alignment});
}

}  // namespace vrnic
