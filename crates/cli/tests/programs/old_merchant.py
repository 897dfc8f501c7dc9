# A merchant program as they were written years ago: signs by hand, sends with urllib, looks into
# the answer with regular expressions, and knows nothing of Spotpay.
#
#   old_merchant.py GATEWAY_URL PARTNER MD5_KEY CODE...   (six fresh codes of a rich wallet)
import hashlib
import html
import re
import sys
import time
import urllib.parse
import urllib.request

GATEWAY, PARTNER, KEY = sys.argv[1:4]
CODES = sys.argv[4:]
NUMBER = [0]


def fail(why, text):
    sys.exit("%s\n%s" % (why, text))


def canonical(params):
    kept = [(k, v) for k, v in params.items() if v != "" and k not in ("sign", "sign_type")]
    return "&".join("%s=%s" % pair for pair in sorted(kept))


def sign(params, charset):
    return hashlib.md5(canonical(params).encode(charset) + KEY.encode("ascii")).hexdigest()


def quote(params, charset):
    # As PHP's urlencode does: a blank is a plus.
    pairs = ["%s=%s" % (k, urllib.parse.quote_plus(v.encode(charset))) for k, v in params.items()]
    return "&".join(pairs)


def send(shape, params, charset, label):
    params = dict(params, partner=PARTNER, _input_charset=label)
    params["sign"] = sign(params, charset)
    params["sign_type"] = "MD5"
    if shape == "GET":
        request = urllib.request.Request(GATEWAY + "?" + quote(params, charset))
    elif shape == "POST":
        request = urllib.request.Request(GATEWAY, quote(params, charset).encode("ascii"))
    else:
        params.pop("_input_charset")
        url = GATEWAY + "?_input_charset=" + label
        request = urllib.request.Request(url, quote(params, charset).encode("ascii"))
    with urllib.request.urlopen(request, timeout=15) as answer:
        if answer.status != 200:
            fail("status %d" % answer.status, "")
        kind = answer.headers["Content-Type"]
        body = answer.read()
    return read(kind, body, charset, params)


def read(kind, body, charset, params):
    # Several SDKs look for the semicolon and take anything else for a file.
    if not kind.startswith("text/xml;"):
        fail("content type", kind)
    declared = re.match(rb'<\?xml version="1.0" encoding="([A-Za-z0-9-]+)"\?>', body)
    if declared is None:
        fail("declaration", body)
    declared = declared.group(1).decode("ascii")
    if declared.lower() not in kind.lower() or declared.lower() not in ("gbk", "utf-8", "gb2312"):
        fail("declaration and content type differ", declared + " " + kind)
    if declared.lower().replace("gb2312", "gbk") != charset.lower().replace("gb2312", "gbk"):
        fail("the answer is not in the charset of the request", declared)
    text = body.decode(declared)
    if "<is_success>T</is_success>" not in text:
        return {"is_success": "F", "error": re.search("<error>(.*?)</error>", text).group(1)}
    inner = re.search("<response><alipay>(.*?)</alipay></response>", text, re.S).group(1)
    children = re.findall("<([a-z_]+)>(.*?)</\\1>", inner, re.S)
    # One old verifier does not sort: it hashes the children as they come.
    hashed = "&".join("%s=%s" % (name, html.unescape(value)) for name, value in children)
    digest = hashlib.md5(hashed.encode(declared) + KEY.encode("ascii")).hexdigest()
    tail = re.search("<sign>(.*?)</sign><sign_type>(.*?)</sign_type></alipay>$", text)
    if tail is None or tail.groups() != (digest, "MD5"):
        fail("the signature is not that of the children in their order", text)
    echo = re.search("<request>(.*?)</request>", text, re.S).group(1)
    echo = dict(re.findall('<param name="([a-z_]+)">(.*?)</param>', echo, re.S))
    for name, value in params.items():
        if value != "" and html.unescape(echo.get(name, "")) != value:
            fail("the echo of %s" % name, text)
    answer = dict((name, html.unescape(value)) for name, value in children)
    if any(value == "" for value in answer.values()):
        fail("an empty element", text)
    answer["is_success"] = "T"
    return answer


def expect(answer, **wanted):
    for name, value in wanted.items():
        if answer.get(name) != value:
            fail("%s is %r, not %r" % (name, answer.get(name), value), answer)


def pay_params(code, name, amount):
    NUMBER[0] += 1
    return {
        "service": "alipay.acquire.overseas.spot.pay",
        "alipay_seller_id": PARTNER,
        "trans_name": name,
        "partner_trans_id": "OLD%d%03d" % (int(time.time()), NUMBER[0]),
        "currency": "HKD",
        "trans_amount": amount,
        "buyer_identity_code": code,
        "identity_code_type": "QRcode",
        "biz_product": "OVERSEAS_MBARCODE_PAY",
        "trans_create_time": time.strftime("%Y%m%d%H%M%S"),
        "memo": "",
        "extend_info": '{"SECONDARY_MERCHANT_ID":"M001","STORE_ID":"S001","TERMINAL_ID":null}',
        "a_field_of_ours": "x & y = z + \u8336",
    }


def one_round(shape, charset, label, code, name, amount, shown):
    params = pay_params(code, name, amount)
    trans_id = params["partner_trans_id"]
    paid = send(shape, params, charset, label)
    expect(paid, is_success="T", result_code="SUCCESS", partner_trans_id=trans_id,
           trans_amount=shown, currency="HKD", payment_inst="ALIPAYHK")
    again = send(shape, params, charset, label)
    expect(again, result_code="SUCCESS", alipay_trans_id=paid["alipay_trans_id"])

    query = {"service": "alipay.acquire.overseas.query", "partner_trans_id": trans_id}
    found = send(shape, query, charset, label)
    expect(found, result_code="SUCCESS", alipay_trans_status="TRADE_SUCCESS",
           out_trade_no=trans_id, partner_trans_id=trans_id, trans_amount=shown)

    old_names = ["alipay.acquire.cancel", "alipay.acquire.overseas.spot.cancel",
                 "alipay.acquire.overseas.spot.reverse"]
    service = old_names[NUMBER[0] % 3]
    field = "out_trade_no" if service == "alipay.acquire.cancel" else "partner_trans_id"
    cancel = {"service": service, field: trans_id,
              "timestamp": str(int(time.time() * 1000))}
    expect(send(shape, cancel, charset, label), result_code="SUCCESS")
    expect(send(shape, query, charset, label), alipay_trans_status="TRADE_CLOSED")
    print("%s %s: paid, queried, cancelled %s" % (shape, label, trans_id))


def main():
    tea = "\u6e2f\u5f0f\u5976\u8336 <b> & + = 100% '"
    rounds = [
        ("GET", "utf-8", "utf-8", "39.30", "39.30"),
        ("POST", "utf-8", "UTF-8", "0.1", "0.10"),
        ("SDK", "utf-8", "UTF-8", "10", "10.00"),
        ("GET", "gbk", "gbk", "12.5", "12.50"),
        ("POST", "gbk", "GBK", "39.30", "39.30"),
        ("SDK", "gbk", "gb2312", "1.00", "1.00"),
    ]
    for (shape, charset, label, amount, shown), code in zip(rounds, CODES):
        one_round(shape, charset, label, code, tea, amount, shown)
    # A program that leaves the charset away means GBK.
    nothing = {"service": "alipay.acquire.overseas.query", "partner_trans_id": "NEVER"}
    signed = dict(nothing, partner=PARTNER)
    signed["sign"] = sign(signed, "gbk")
    signed["sign_type"] = "MD5"
    with urllib.request.urlopen(GATEWAY + "?" + quote(signed, "gbk"), timeout=15) as answer:
        found = read(answer.headers["Content-Type"], answer.read(), "gbk", signed)
    expect(found, result_code="FAIL", error="TRADE_NOT_EXIST", detail_error_code="TRADE_NOT_EXIST")
    # A wrong signature is refused with status 200 and without a signature.
    signed["sign"] = "0" * 32
    with urllib.request.urlopen(GATEWAY + "?" + quote(signed, "gbk"), timeout=15) as answer:
        refused = read(answer.headers["Content-Type"], answer.read(), "gbk", signed)
    expect(refused, is_success="F", error="ILLEGAL_SIGN")
    # Unsigned, and compared with the word itself.
    ask = GATEWAY + "?service=notify_verify&partner=" + PARTNER + "&notify_id=1"
    with urllib.request.urlopen(ask, timeout=15) as answer:
        if answer.read() != b"false":
            fail("notify_verify", "")
    print("done")


main()
