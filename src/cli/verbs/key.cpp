// `key new`: a key for a server that posts. It is shown once; the configuration keeps its hash.
#include <algorithm>
#include <array>
#include <cctype>

#include "base/digest.h"
#include "cli/verb.h"
#include "cli/verbs/verbs.h"

namespace forebay::cli {
namespace {

constexpr std::string_view key_prefix = "ik_live_";

std::string make_key(Entropy& entropy) {
    std::array<unsigned char, 24> bytes{};
    entropy.fill(bytes);
    return std::string(key_prefix) + to_base64url({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

/// Whether [key.NAME] means that name.
bool is_bare(std::string_view name) {
    auto is_plain = [](unsigned char c) { return (std::isalnum(c) != 0 && c < 0x80) || c == '-' || c == '_'; };
    return !name.empty() && std::all_of(name.begin(), name.end(), is_plain);
}

}  // namespace

int run_key_new(Invocation& invocation) {
    auto& terminal = invocation.terminal();
    auto name = invocation.words().empty() ? std::string("website") : invocation.word(0);
    if (!is_bare(name)) return invocation.misused("a key's name consists of letters, digits, - and _");
    auto key = make_key(invocation.world().entropy);
    auto hash = "sha256:" + to_hex(sha256(key));
    if (terminal.wants_json()) {
        terminal.result_json(json::Value().set("name", name).set("key", key).set("hash", hash));
        return exit_code::done;
    }
    terminal.talk("For whoever posts; it is shown only now:");
    terminal.result(key + "\n");
    terminal.talk("For forebay.toml, and auth = [\"key:" + name + "\"] at the endpoint:");
    terminal.result("[key." + name + "]\nhash = \"" + hash + "\"\n");
    return exit_code::done;
}

}  // namespace forebay::cli
