#pragma once
// A file for supervisord 4 that runs the processes of a Forebay instead of `forebay serve`.

#include <string>

#include "generate/processes.h"

namespace forebay::generate {

/// One [program:…] for the node and one for each worker, [group:…] as in the configuration: `store:1` is `core:store_1`. Holds no
/// secrets. What supervisord cannot do stands at its head, with what does it instead.
std::string supervisord_file(const Processes& processes);

/// A word of a command in the file: quoted as its shlex reads it, `%` doubled, and no ` ;` or ` #`, which would begin a comment.
std::string supervisord_word(std::string_view word);

}  // namespace forebay::generate
