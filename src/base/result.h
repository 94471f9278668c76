#pragma once
// The answer of an operation that can fail in a way its caller must decide on: a value or an error,
// never both. The class is [[nodiscard]], so no error is dropped by accident.

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/check.h"

namespace forebay {

/// Wraps an error so that it converts to any Result with that error type: `return Failure{E::too_long};`.
template <class E>
struct Failure {
    E error;
};
template <class E>
Failure(E) -> Failure<E>;

template <class T, class E>
class [[nodiscard]] Result {
  public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    template <class F>
        requires std::is_convertible_v<F, E>
    Result(Failure<F> failure) : state_(std::in_place_index<1>, std::move(failure.error)) {}

    explicit operator bool() const { return state_.index() == 0; }
    bool ok() const { return state_.index() == 0; }

    /// The value. Calling it on a failure is a broken invariant and aborts.
    T& value() & {
        CHECK(ok(), "value() of a failed result");
        return std::get<0>(state_);
    }
    const T& value() const& {
        CHECK(ok(), "value() of a failed result");
        return std::get<0>(state_);
    }
    T&& value() && {
        CHECK(ok(), "value() of a failed result");
        return std::get<0>(std::move(state_));
    }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    /// The error. Calling it on a success is a broken invariant and aborts.
    const E& error() const& {
        CHECK(!ok(), "error() of a successful result");
        return std::get<1>(state_);
    }
    E&& error() && {
        CHECK(!ok(), "error() of a successful result");
        return std::get<1>(std::move(state_));
    }

  private:
    std::variant<T, E> state_;
};

/// Success without a value.
template <class E>
class [[nodiscard]] Result<void, E> {
  public:
    Result() = default;
    template <class F>
        requires std::is_convertible_v<F, E>
    Result(Failure<F> failure) : error_(std::move(failure.error)) {}

    explicit operator bool() const { return !error_; }
    bool ok() const { return !error_; }
    void value() const { CHECK(ok(), "value() of a failed result"); }
    const E& error() const& {
        CHECK(!ok(), "error() of a successful result");
        return *error_;
    }

  private:
    std::optional<E> error_;
};

}  // namespace forebay

#define FOREBAY_CONCAT2(a, b) a##b
#define FOREBAY_CONCAT(a, b) FOREBAY_CONCAT2(a, b)

/// Returns the failure of `expr` from the enclosing function, or goes on.
#define TRY(expr)                                                                                                    \
    do {                                                                                                             \
        if (auto try_result_ = (expr); !try_result_.ok()) return ::forebay::Failure{std::move(try_result_).error()}; \
    } while (false)

/// Declares `var` with the value of `expr`, or returns the failure from the enclosing function.
// NOLINTBEGIN(bugprone-macro-parentheses): `var` may be a declaration.
#define TRY_ASSIGN(var, expr)                                                                                               \
    auto FOREBAY_CONCAT(try_, __LINE__) = (expr);                                                                           \
    if (!FOREBAY_CONCAT(try_, __LINE__).ok()) return ::forebay::Failure{std::move(FOREBAY_CONCAT(try_, __LINE__)).error()}; \
    var = std::move(FOREBAY_CONCAT(try_, __LINE__)).value()
// NOLINTEND(bugprone-macro-parentheses)
