#pragma once
// Reading a queue's description out of a longer text: the preamble and the checkpoint hold many.

#include "base/codec.h"
#include "broker/log_record.h"

namespace forebay::broker {

/// Consumes one "queue set" (FORMAT.md §1); `in.failed()` tells whether it was whole.
QueueRecord take_queue_set(Reader& in);

}  // namespace forebay::broker
