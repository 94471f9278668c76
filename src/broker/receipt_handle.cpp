#include "broker/receipt_handle.h"

#include "base/codec.h"
#include "base/digest.h"
#include "broker/checkpoint.h"

namespace forebay::broker {
namespace {

constexpr std::size_t key_bytes = 32;
constexpr std::size_t mac_bytes = 16;
constexpr std::uint8_t version = 1;

std::string mac_of(const std::string& key, std::string_view signed_part) {
    auto mac = hmac_sha256(key, signed_part);
    return {reinterpret_cast<const char*>(mac.data()), mac_bytes};
}

Result<std::string, disk::Error> make_key(disk::Disk& disk, Entropy& entropy, const std::string& path) {
    std::string key(key_bytes, '\0');
    entropy.fill({reinterpret_cast<unsigned char*>(key.data()), key.size()});
    const auto fresh = path + ".new";
    if (disk.exists(fresh)) TRY(disk.remove(fresh));
    TRY_ASSIGN(auto file, disk.open(fresh, disk::OpenMode::create_new));
    TRY(file->write(0, key));
    TRY(file->sync());
    TRY(disk.rename(fresh, path));
    TRY(disk.sync_directory(checkpoint_directory));
    return key;
}

}  // namespace

Result<ReceiptHandles, disk::Error> ReceiptHandles::open(disk::Disk& disk, Entropy& entropy) {
    const auto path = std::string(checkpoint_directory) + "/receipt.key";
    std::string key;
    if (disk.exists(path)) {
        TRY_ASSIGN(auto file, disk.open(path, disk::OpenMode::read));
        TRY(file->read(0, key_bytes, key));
    }
    if (key.size() != key_bytes) {
        TRY_ASSIGN(key, make_key(disk, entropy, path));
    }
    return ReceiptHandles(std::move(key));
}

std::string ReceiptHandles::text_of(const queue::Receipt& receipt) const {
    std::string out;
    put(out, version);
    put(out, receipt.queue.value());
    put(out, receipt.sequence.value());
    put(out, receipt.epoch);
    put(out, receipt.generation);
    out += mac_of(key_, out);
    return to_base64url(out);
}

std::optional<queue::Receipt> ReceiptHandles::receipt_of(std::string_view text) const {
    auto raw = from_base64(text);
    if (!raw || raw->size() <= mac_bytes) return std::nullopt;
    auto signed_part = std::string_view(*raw).substr(0, raw->size() - mac_bytes);
    if (!equal_in_constant_time(mac_of(key_, signed_part), std::string_view(*raw).substr(signed_part.size()))) return std::nullopt;
    Reader in(signed_part);
    if (in.take<std::uint8_t>() != version) return std::nullopt;
    queue::Receipt receipt;
    receipt.queue = queue::QueueId(in.take<std::uint32_t>());
    receipt.sequence = queue::Sequence(in.take<std::uint64_t>());
    receipt.epoch = in.take<std::uint32_t>();
    receipt.generation = in.take<std::uint32_t>();
    if (!in.at_end()) return std::nullopt;
    return receipt;
}

}  // namespace forebay::broker
