#include "intake/pages.h"

#include <algorithm>

#include "intake/demo_page.h"

namespace forebay::intake {
namespace {

constexpr std::string_view style = R"(
:root{color-scheme:light dark;--ink:#16232e;--soft:#5a6b78;--paper:#f4f7f9;--card:#fff;--line:#c9d4dc;--water:#0b6e8f;--deep:#084f67;--bad:#b3261e;--badsoft:#fdeceb}
@media (prefers-color-scheme:dark){:root{--ink:#e6eef3;--soft:#9fb2bf;--paper:#0f1a21;--card:#17252e;--line:#37505e;--water:#3fa9cc;--deep:#7cc7df;--bad:#ff8a80;--badsoft:#3a1f1d}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:38rem;margin:0 auto;padding:2rem 1.25rem 4rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:1.75rem;border-top:.35rem solid var(--water)}
h1{font-size:1.6rem;line-height:1.2;margin:0 0 .5rem}
p{margin:.5rem 0}
.soft{color:var(--soft)}
.ref{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.9rem;overflow-wrap:anywhere}
.field{margin:1.1rem 0}
label{display:block;font-weight:600;margin-bottom:.3rem}
.must{color:var(--bad);font-weight:400}
input,select{width:100%;font:inherit;color:inherit;background:var(--paper);border:1px solid var(--line);border-radius:.45rem;padding:.6rem .7rem}
input:focus-visible,select:focus-visible,button:focus-visible,a:focus-visible{outline:3px solid var(--water);outline-offset:2px}
.tick{display:flex;gap:.6rem;align-items:flex-start}
.tick input{width:1.25rem;height:1.25rem;margin:.15rem 0 0;flex:none;accent-color:var(--water)}
.tick label{margin:0;font-weight:400}
[aria-invalid=true]{border-color:var(--bad);border-width:2px}
.error{color:var(--bad);margin:.3rem 0 0;font-size:.95rem}
.notice{background:var(--badsoft);border-left:.3rem solid var(--bad);border-radius:.35rem;padding:.75rem 1rem;margin:1rem 0}
.notice ul{margin:.3rem 0 0;padding-left:1.2rem}
.notice a{color:inherit}
button{font:inherit;font-weight:600;color:#fff;background:#0b6e8f;border:0;border-radius:.45rem;padding:.75rem 1.5rem;cursor:pointer}
button:hover{background:#084f67}
.trap{position:absolute;left:-10000px;width:1px;height:1px;overflow:hidden}
)";

/// A label for people: first letter large.
std::string heading(std::string text) {
    if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 32);
    return text;
}

void attribute(std::string& out, std::string_view name, std::string_view value) {
    out.append(" ").append(name).append("=\"").append(escape_html(value)).append("\"");
}

std::string_view input_type(FieldType type) {
    switch (type) {
        case FieldType::email:
            return "email";
        case FieldType::phone:
            return "tel";
        case FieldType::url:
            return "url";
        case FieldType::date:
            return "date";
        default:
            return "text";
    }
}

/// Names browsers know how to fill in (HTML, autofill).
std::string_view autofill_of(const Field& field) {
    if (field.type == FieldType::email) return "email";
    if (field.type == FieldType::phone) return "tel";
    for (auto [name, autofill] : {std::pair{"first_name", "given-name"},
                                  {"last_name", "family-name"},
                                  {"zip", "postal-code"},
                                  {"state", "address-level1"},
                                  {"city", "address-level2"},
                                  {"company", "organization"}})
        if (field.name == name) return autofill;
    return {};
}

class FormWriter {
  public:
    FormWriter(const PreparedEndpoint& endpoint, const FormFilling& filling) : endpoint_(endpoint), filling_(filling) {}
    std::string write() {
        out_ += "<form method=\"post\" accept-charset=\"utf-8\" novalidate";
        attribute(out_, "action", endpoint_.spec.path);
        out_ += ">\n";
        for (auto& rule : endpoint_.rules) field(rule);
        kept_unlisted();
        hidden(endpoint_.spec.idempotency.field, filling_.fresh_id);
        hidden(endpoint_.spec.form.token_field, filling_.fresh_token);
        if (!endpoint_.spec.form.honeypot.empty()) trap();
        return std::move(out_) + "<button type=\"submit\">Send</button>\n</form>\n";
    }

  private:
    std::string_view sent(const Rule& rule) const {
        auto is_ours = [&](const Input& input) {
            auto& aliases = rule.field.aliases;
            return input.kind != Input::Kind::nested &&
                   (input.name == rule.field.name || std::find(aliases.begin(), aliases.end(), input.name) != aliases.end());
        };
        auto found = std::find_if(filling_.values.begin(), filling_.values.end(), is_ours);
        return found == filling_.values.end() ? std::string_view() : found->text;
    }
    const FieldError* error_of(const Rule& rule) const {
        auto found =
            std::find_if(filling_.errors.begin(), filling_.errors.end(), [&](auto& error) { return error.field == rule.field.name; });
        return found == filling_.errors.end() ? nullptr : &*found;
    }
    void hidden(std::string_view name, std::string_view value) {
        if (name.empty() || value.empty()) return;
        out_ += "<input type=\"hidden\"";
        attribute(out_, "name", name);
        attribute(out_, "value", value);
        out_ += ">\n";
    }
    /// Fields without a rule, such as a campaign a page adds by itself, must survive the second try.
    void kept_unlisted() {
        for (auto& input : filling_.values) {
            auto number = endpoint_.names.find(input.name);
            if (number == NameTable::none && input.kind != Input::Kind::nested) hidden(input.name, input.text);
            if (number == static_cast<int>(Special::next)) hidden(input.name, input.text);
        }
    }
    void trap() {
        out_ +=
            "<div class=\"trap\" aria-hidden=\"true\"><label>Leave this empty <input type=\"text\" tabindex=\"-1\" autocomplete=\"off\"";
        attribute(out_, "name", endpoint_.spec.form.honeypot);
        out_ += "></label></div>\n";
    }
    void common_attributes(const Rule& rule, const FieldError* error) {
        attribute(out_, "id", "f-" + rule.field.name);
        attribute(out_, "name", rule.field.name);
        if (rule.field.required) out_ += " aria-required=\"true\"";
        if (error != nullptr) {
            out_ += " aria-invalid=\"true\"";
            attribute(out_, "aria-describedby", "e-" + rule.field.name);
        }
    }
    void label(const Rule& rule) {
        out_ += "<label";
        attribute(out_, "for", "f-" + rule.field.name);
        out_.append(">").append(escape_html(heading(label_of(rule.field))));
        if (rule.field.required) out_ += " <span class=\"must\">(required)</span>";
        out_ += "</label>\n";
    }
    void choices(const Rule& rule, const FieldError* error) {
        out_ += "<select";
        common_attributes(rule, error);
        out_ += "><option value=\"\">Please choose</option>\n";
        for (auto& choice : rule.choices) {
            out_ += "<option";
            attribute(out_, "value", choice.value);
            if (choice.value == sent(rule)) out_ += " selected";
            out_.append(">").append(escape_html(choice.name.empty() ? choice.value : choice.name)).append("</option>");
        }
        out_ += "\n</select>\n";
    }
    void text_input(const Rule& rule, const FieldError* error) {
        auto type = rule.field.type;
        out_ += "<input";
        attribute(out_, "type", input_type(type));
        common_attributes(rule, error);
        if (type == FieldType::integer) out_ += " inputmode=\"numeric\"";
        if (type == FieldType::decimal) out_ += " inputmode=\"decimal\"";
        if (auto autofill = autofill_of(rule.field); !autofill.empty()) attribute(out_, "autocomplete", autofill);
        attribute(out_, "value", sent(rule));
        out_ += ">\n";
    }
    void tick(const Rule& rule, const FieldError* error) {
        out_ += "<div class=\"tick\"><input type=\"checkbox\" value=\"true\"";
        common_attributes(rule, error);
        if (auto value = sent(rule); value == "true" || value == "on" || value == "1" || value == "yes") out_ += " checked";
        out_ += ">\n";
        label(rule);
        out_ += "</div>\n";
    }
    void field(const Rule& rule) {
        auto* error = error_of(rule);
        out_ += "<div class=\"field\">\n";
        if (rule.field.type == FieldType::boolean) {
            tick(rule, error);
        } else {
            label(rule);
            rule.field.type == FieldType::enumeration ? choices(rule, error) : text_input(rule, error);
        }
        if (error != nullptr) {
            out_ += "<p class=\"error\"";
            attribute(out_, "id", "e-" + rule.field.name);
            out_.append(">")
                .append(escape_html(heading(label_of(rule.field))))
                .append(": ")
                .append(escape_html(error->detail))
                .append("</p>\n");
        }
        out_ += "</div>\n";
    }

    const PreparedEndpoint& endpoint_;
    const FormFilling& filling_;
    std::string out_;
};

std::string title_of_status(const Refused& what) {
    if (what.status == 422) return "Almost there";
    if (what.status == 429) return "One moment, please";
    if (what.status >= 500) return "Please send it once more";
    return "This could not be accepted";
}

std::string error_list(const PreparedEndpoint& endpoint, const Refused& what) {
    std::string out = "<div class=\"notice\" role=\"alert\"><strong>" + escape_html(what.title) + "</strong>";
    if (what.errors.empty()) return out + "<p>" + escape_html(what.detail) + "</p></div>\n";
    out += "<ul>";
    for (auto& error : what.errors) {
        auto* rule = [&]() -> const Rule* {
            for (auto& r : endpoint.rules)
                if (r.field.name == error.field) return &r;
            return nullptr;
        }();
        auto text = escape_html(heading(rule != nullptr ? label_of(rule->field) : error.field)) + ": " + escape_html(error.detail);
        out += rule != nullptr ? "<li><a href=\"#f-" + escape_html(error.field) + "\">" + text + "</a></li>" : "<li>" + text + "</li>";
    }
    return out + "</ul></div>\n";
}

}  // namespace

std::string escape_html(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

std::string render_page(std::string_view title, std::string_view main) {
    std::string out =
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, "
        "initial-scale=1\">\n";
    out.append("<title>")
        .append(escape_html(title))
        .append("</title>\n<style>")
        .append(style)
        .append("</style>\n</head>\n<body>\n<main>\n<div class=\"card\">\n");
    return out.append(main).append("</div>\n</main>\n</body>\n</html>\n");
}

std::string render_form(const PreparedEndpoint& endpoint, const FormFilling& filling) { return FormWriter(endpoint, filling).write(); }

std::string thank_you_page(std::string_view title, std::string_view id) {
    std::string main = "<h1>Thank you</h1>\n<p>We have received what you sent, and it is safely kept.</p>\n";
    if (!id.empty()) main += "<p class=\"soft\">Your reference: <span class=\"ref\">" + escape_html(id) + "</span></p>\n";
    return render_page("Thank you – " + std::string(title), main);
}

std::string try_again_page(std::string_view title, const Refused& what) {
    auto heading_text = title_of_status(what);
    return render_page(heading_text + " – " + heading(std::string(title)),
                       "<h1>" + heading_text + "</h1>\n<div class=\"notice\" role=\"alert\"><p>" + escape_html(heading(what.detail)) +
                           ".</p></div>\n<p>Go back to the form with your browser's Back button: what you wrote is still there.</p>\n");
}

std::string error_page(const PreparedEndpoint& endpoint, const Refused& what, std::span<const Input> values, std::string_view fresh_id,
                       std::string_view fresh_token) {
    auto title = title_of_status(what);
    std::string main = "<h1>" + title + "</h1>\n" + error_list(endpoint, what);
    // A form of ours cannot mend a missing key or a wrong origin.
    if (what.status != 401 && what.status != 403) main += render_form(endpoint, {values, what.errors, fresh_id, fresh_token});
    return render_page(title + " – " + heading(endpoint.spec.title), main);
}

std::string demo_page(const PreparedEndpoint& endpoint, std::string_view fresh_id, std::string_view fresh_token) {
    auto title = heading(endpoint.spec.title);
    std::string main = "<h1>" + escape_html(title) + "</h1>\n<p class=\"soft\">A form made from <code>[endpoint." +
                       escape_html(endpoint.spec.name) + ".fields]</code>. It posts to <code>" + escape_html(endpoint.spec.path) +
                       "</code>; leave something out to see it refused.</p>\n";
    return render_page(title, main + render_form(endpoint, {{}, {}, fresh_id, fresh_token}));
}

}  // namespace forebay::intake
