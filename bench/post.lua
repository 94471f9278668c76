-- One durable post: 270 bytes of JSON with eight fields that are all checked.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = [[{"email":"jane.doe@example.com","first_name":"Jane","last_name":"Doe","phone":"+1 415 555 2671","state":"CA","zip":"94103","amount":25000,"campaign":"auto-2026-autumn-search-brand-exact-match","note":"]]
wrk.body = wrk.body .. string.rep("x", 270 - #wrk.body - 2) .. [["}]]
