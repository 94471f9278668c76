#pragma once
// Pieces of text that several of the files have.

#include <string>
#include <string_view>

#include "generate/cluster.h"

namespace forebay::generate {

/// `10.0.3.11:3306`, `[::1]:3306`
std::string at(const std::string& address, std::uint16_t port);
/// A text in single quotes as MariaDB reads it.
std::string sql_text(std::string_view text);
/// A name in backquotes as MariaDB reads it.
std::string sql_name(std::string_view name);
/// A word as a shell reads it, in single quotes where it needs them.
std::string shell_word(std::string_view word);
/// A whole number of milliseconds or seconds as HAProxy writes it: `1500ms`, `2s`.
std::string haproxy_time(Duration duration);
/// The SHA-512 form of crypt(3). The salt is made of `place`, so that the same file is written the same each time.
std::string crypt_hash(const std::string& password, std::string_view place);
/// What MariaDB's mysql_native_password keeps of a password: `*` and 40 hexadecimal digits.
std::string native_password_hash(std::string_view password);

}  // namespace forebay::generate
