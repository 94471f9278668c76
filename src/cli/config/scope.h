#pragma once
// A table of the configuration while it is declared. The same declaration is run to read files, to print the
// effective values and to make the schema, so a setting is written down once: key, field, help.

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "cli/config/slot.h"

namespace forebay::cli {

class Scope;
using Declaration = std::function<void(Scope&)>;

/// Tables whose names the file chooses: [queue.leads]. Bound to a vector of structs with a `name`.
struct NamedTables {
    std::function<std::size_t()> size;
    std::function<std::string(std::size_t)> name_at;
    std::function<std::size_t(std::string_view)> add;  ///< a new one with its defaults; its index
    std::function<void(std::size_t, Scope&)> declare;
    std::function<void(Scope&)> declare_default;  ///< of a fresh one
};

class Scope {
  public:
    virtual ~Scope() = default;
    virtual void setting(std::string_view key, Slot slot, std::string_view help) = 0;
    virtual void table(std::string_view key, const Declaration& declare) = 0;
    /// A table whose keys the file chooses and whose values are texts.
    virtual void texts_by_name(std::string_view key, std::vector<NamedText>& texts, std::string_view help) = 0;
    virtual void tables(std::string_view key, const NamedTables& named, bool in_one_line) = 0;
    /// Keys of the language that a later version brings: refused with these words, not as unknown.
    virtual void later(std::initializer_list<std::string_view> keys) = 0;
};

/// [key.NAME] for each element; `declare(scope, element)`. `in_one_line`: printed as `name = { … }`.
template <class T, class Declare>
void each(Scope& scope, std::string_view key, std::vector<T>& elements, Declare declare, bool in_one_line = false) {
    NamedTables named;
    named.size = [&] { return elements.size(); };
    named.name_at = [&](std::size_t i) { return elements[i].name; };
    named.add = [&](std::string_view name) {
        elements.emplace_back();
        elements.back().name = std::string(name);
        return elements.size() - 1;
    };
    named.declare = [&, declare](std::size_t i, Scope& inner) { declare(inner, elements[i]); };
    named.declare_default = [declare](Scope& inner) {
        T fresh;
        declare(inner, fresh);
    };
    scope.tables(key, named, in_one_line);
}

}  // namespace forebay::cli
