#pragma once
// A callable that is moved and called, never copied: what std::move_only_function will be in C++23.
// Callables of up to 64 bytes live inside; larger ones on the heap.

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "base/check.h"

namespace forebay {

template <class Signature>
class UniqueFunction;

template <class R, class... Args>
class UniqueFunction<R(Args...)> {
    static constexpr std::size_t inside_bytes = 64;

  public:
    UniqueFunction() = default;
    template <class F>
        requires(!std::is_same_v<std::decay_t<F>, UniqueFunction> && std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
    UniqueFunction(F&& f) {
        using D = std::decay_t<F>;
        // NOLINTBEGIN(performance-unnecessary-value-param): the signature says how arguments travel.
        if constexpr (sizeof(D) <= inside_bytes && alignof(D) <= alignof(std::max_align_t) && std::is_nothrow_move_constructible_v<D>) {
            new (place_) D(std::forward<F>(f));
            static constexpr Table table{[](void* p, Args... args) -> R { return (*static_cast<D*>(p))(std::forward<Args>(args)...); },
                                         [](void* from, void* to) noexcept {
                                             new (to) D(std::move(*static_cast<D*>(from)));
                                             static_cast<D*>(from)->~D();
                                         },
                                         [](void* p) noexcept { static_cast<D*>(p)->~D(); }};
            table_ = &table;
        } else {
            new (place_) D*(new D(std::forward<F>(f)));
            static constexpr Table table{[](void* p, Args... args) -> R { return (**static_cast<D**>(p))(std::forward<Args>(args)...); },
                                         [](void* from, void* to) noexcept { new (to) D*(*static_cast<D**>(from)); },
                                         [](void* p) noexcept { delete *static_cast<D**>(p); }};
            table_ = &table;
        }
        // NOLINTEND(performance-unnecessary-value-param)
    }
    UniqueFunction(UniqueFunction&& other) noexcept { take(other); }
    UniqueFunction& operator=(UniqueFunction&& other) noexcept {
        if (this != &other) {
            reset();
            take(other);
        }
        return *this;
    }
    ~UniqueFunction() { reset(); }

    explicit operator bool() const { return table_ != nullptr; }
    R operator()(Args... args) {
        CHECK(table_ != nullptr, "an empty function is not called");
        return table_->call(place_, std::forward<Args>(args)...);
    }

  private:
    struct Table {
        R (*call)(void*, Args...);
        void (*move)(void*, void*) noexcept;
        void (*destroy)(void*) noexcept;
    };
    void take(UniqueFunction& other) noexcept {
        table_ = other.table_;
        if (table_ != nullptr) table_->move(other.place_, place_);
        other.table_ = nullptr;
    }
    void reset() noexcept {
        if (table_ != nullptr) table_->destroy(place_);
        table_ = nullptr;
    }
    const Table* table_ = nullptr;
    alignas(std::max_align_t) unsigned char place_[inside_bytes];
};

}  // namespace forebay
