#pragma once
// Receipts as opaque text that only this store can make: FORMAT.md §6.

#include <optional>
#include <string>
#include <string_view>

#include "base/entropy.h"
#include "disk/disk.h"
#include "queue/message.h"

namespace forebay::broker {

class ReceiptHandles {
  public:
    explicit ReceiptHandles(std::string key) : key_(std::move(key)) {}
    /// Reads the store's key, or makes it.
    static Result<ReceiptHandles, disk::Error> open(disk::Disk& disk, Entropy& entropy);

    std::string text_of(const queue::Receipt& receipt) const;
    /// Nothing for a text that this store did not make.
    std::optional<queue::Receipt> receipt_of(std::string_view text) const;

  private:
    std::string key_;
};

}  // namespace forebay::broker
