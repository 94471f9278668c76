#pragma once
// One attempt at one batch. The only place that catches what handlers throw.

#include <span>
#include <vector>

#include "worker/handler.h"

namespace forebay::worker {

/// Exactly one outcome per job. What is thrown, and an answer of the wrong length, becomes a retry of every
/// job: nobody knows which of them was done, and running one again with the same id is harmless.
std::vector<Outcome> attempt(Handler& handler, std::span<const Job> jobs, const Limits& limits);

}  // namespace forebay::worker
