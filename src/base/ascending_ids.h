#pragma once
// Ids in the order in which they were given, also within a millisecond, so that an index over them grows at its end.

#include "base/uuid.h"

namespace forebay {

/// A source of version 7 ids that ascend as long as its clock is not set back: within a millisecond the 12 bits after the time count
/// up from a random start, 62 bits stay random (RFC 9562, 6.2, method 1). More than 3,000 in one millisecond begin anew, out of order.
/// Not for several threads at once.
class AscendingIds {
  public:
    Uuid next(Timestamp at, Entropy& entropy);

  private:
    Timestamp last_{};
    unsigned count_ = 0;
};

}  // namespace forebay
