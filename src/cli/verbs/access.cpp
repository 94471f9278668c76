// `access new`: a key for a client of the queue port. Its secret is shown once and belongs into a file of its own.
#include <algorithm>
#include <cctype>

#include "cli/process/worker_key.h"
#include "cli/verb.h"
#include "cli/verbs/verbs.h"

namespace forebay::cli {
namespace {

bool is_bare(std::string_view name) {
    auto is_plain = [](unsigned char c) { return (std::isalnum(c) != 0 && c < 0x80) || c == '-' || c == '_'; };
    return !name.empty() && std::all_of(name.begin(), name.end(), is_plain);
}

}  // namespace

int run_access_new(Invocation& invocation) {
    auto& terminal = invocation.terminal();
    auto name = invocation.word(0);
    if (!is_bare(name)) return invocation.misused("an access key's name consists of letters, digits, - and _");
    const auto key = new_key("FB", invocation.world().entropy);
    if (terminal.wants_json()) {
        terminal.result_json(json::Value().set("name", name).set("id", key.id).set("secret", key.secret));
        return exit_code::done;
    }
    terminal.talk("For the client, as its access key id and secret access key; they are shown only now:");
    terminal.result("AWS_ACCESS_KEY_ID=" + key.id + "\nAWS_SECRET_ACCESS_KEY=" + key.secret + "\n");
    terminal.talk("For forebay.toml, with the secret alone in a file that only Forebay's user can read:");
    terminal.result("[access." + name + "]\nid     = \"" + key.id + "\"\nsecret = \"${file:/run/secrets/" + name +
                    "}\"\nallow  = [\"send:QUEUE\"]\n");
    terminal.talk("Then `forebay check`; a node that runs takes the key up when it gets SIGHUP.");
    return exit_code::done;
}

}  // namespace forebay::cli
