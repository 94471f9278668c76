#include "http/client.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <mutex>

#include "http/addresses.h"
#include "http/text.h"

namespace forebay::http {
namespace {

/// Servers close idle connections; one that lay unused for longer is not tried.
constexpr long kept_unused_s_max = 15;

/// libcurl wants this once before any thread uses it; the process keeps it until it ends.
void prepare_libcurl() {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

struct ListDeleter {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, ListDeleter>;

void append(List& list, const std::string& line) {
    if (curl_slist* longer = curl_slist_append(list.get(), line.c_str())) {
        static_cast<void>(list.release());
        list.reset(longer);
    }
}

bool is_field(std::string_view name, std::string_view value) {
    const bool good_name = !name.empty() && std::all_of(name.begin(), name.end(), is_token_character);
    return good_name && std::none_of(value.begin(), value.end(), [](char c) { return is_control(c) && c != '\t'; });
}

/// What one transfer collects through libcurl's callbacks.
struct Transfer {
    ClientResponse response;
    std::size_t response_bytes_max = 0;
    bool too_large = false;
    bool refused_address = false;
};

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* context) {
    auto& transfer = *static_cast<Transfer*>(context);
    const auto n = size * count;
    if (transfer.response.body.size() + n > transfer.response_bytes_max) {
        transfer.too_large = true;
        return 0;
    }
    transfer.response.body.append(data, n);
    return n;
}

/// Fields of an interim answer (100, 103) are dropped when the next status line comes.
std::size_t on_header(char* data, std::size_t size, std::size_t count, void* context) {
    static constexpr std::size_t fields_max = 200;
    auto& transfer = *static_cast<Transfer*>(context);
    std::string_view line(data, size * count);
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
    auto& headers = transfer.response.headers;
    const auto colon = line.find(':');
    if (line.starts_with("HTTP/")) {
        headers.clear();
    } else if (colon != line.npos && headers.size() < fields_max) {
        std::string name(line.substr(0, colon));
        std::transform(name.begin(), name.end(), name.begin(), to_lower);
        headers.emplace_back(std::move(name), trimmed(line.substr(colon + 1)));
    }
    return size * count;
}

/// Looks at the address that is about to be connected to, whatever name and however many answers led to it.
curl_socket_t open_public_socket(void* context, curlsocktype, curl_sockaddr* address) {
    if (!is_public(address_of(address->addr))) {
        static_cast<Transfer*>(context)->refused_address = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/// Whether anything was sent decides what the caller may conclude, so that is what the kinds tell apart.
ClientError::Kind kind_of(CURLcode code, CURL* curl, const Transfer& transfer) {
    using Kind = ClientError::Kind;
    if (transfer.refused_address) return Kind::refused_address;
    if (transfer.too_large) return Kind::response_too_large;
    curl_off_t connected_us = 0;
    curl_easy_getinfo(curl, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
    switch (code) {
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_URL_MALFORMAT:
            return connected_us == 0 ? Kind::invalid_request : Kind::broken;  // an answer in HTTP/0.9 is one of these
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_CONNECT:
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PEER_FAILED_VERIFICATION:
            return Kind::not_connected;
        case CURLE_OPERATION_TIMEDOUT:
            return connected_us == 0 ? Kind::not_connected : Kind::timed_out;
        default:
            return Kind::broken;
    }
}

}  // namespace

std::string_view ClientResponse::find(std::string_view name) const {
    for (const auto& [key, value] : headers)
        if (key == name) return value;
    return {};
}

struct Client::Inside {
    explicit Inside(ClientOptions given) : options(std::move(given)) {
        prepare_libcurl();
        curl = curl_easy_init();
    }
    ~Inside() { curl_easy_cleanup(curl); }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
    void prepare(const ClientRequest& request, Transfer& transfer, curl_slist* headers);
    void prepare_limits(const ClientRequest& request);

    ClientOptions options;
    CURL* curl = nullptr;
};

void Client::Inside::prepare_limits(const ClientRequest& request) {
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_deadline.count()));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.total_deadline.count()));
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, kept_unused_s_max);
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, request.never_twice ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, options.verify_certificates ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, options.verify_certificates ? 2L : 0L);
    if (!options.certificate_authorities.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, options.certificate_authorities.c_str());
}

void Client::Inside::prepare(const ClientRequest& request, Transfer& transfer, curl_slist* headers) {
    curl_easy_reset(curl);  // keeps connections and resolved names
    prepare_limits(request);
    curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (request.method == "HEAD") {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    } else if (request.method != "GET" || !request.body.empty()) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
    if (options.public_addresses_only) {
        curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_public_socket);
        curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &transfer);
    }
}

Client::Client(ClientOptions options) : inside_(std::make_unique<Inside>(std::move(options))) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Result<ClientResponse, ClientError> Client::send(const ClientRequest& request) {
    using Kind = ClientError::Kind;
    List headers;
    // A body goes out at once: waiting for 100 Continue would cost a round trip. No type is invented for it.
    append(headers, "Expect:");
    const bool has_type = std::any_of(request.headers.begin(), request.headers.end(),
                                      [](const auto& h) { return equals_ignoring_case(h.first, "content-type"); });
    if (!has_type) append(headers, "Content-Type:");
    for (const auto& [name, value] : request.headers) {
        if (!is_field(name, value)) return Failure{ClientError{Kind::invalid_request, "header \"" + name + "\" cannot be sent"}};
        append(headers, value.empty() ? name + ";" : name + ": " + value);
    }
    if (!std::all_of(request.method.begin(), request.method.end(), is_token_character))
        return Failure{ClientError{Kind::invalid_request, "method cannot be sent"}};
    Transfer transfer;
    transfer.response_bytes_max = request.response_bytes_max;
    inside_->prepare(request, transfer, headers.get());
    const CURLcode code = curl_easy_perform(inside_->curl);
    if (code != CURLE_OK) return Failure{ClientError{kind_of(code, inside_->curl, transfer), curl_easy_strerror(code)}};
    long status = 0;
    curl_easy_getinfo(inside_->curl, CURLINFO_RESPONSE_CODE, &status);
    transfer.response.status = static_cast<unsigned>(status);
    return std::move(transfer.response);
}

}  // namespace forebay::http
