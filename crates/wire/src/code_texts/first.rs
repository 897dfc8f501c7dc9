//! The texts of the codes from A to L.

use super::{CodeText, Texts};

texts! {
    ACCESS_FORBIDDEN
        means "This partner has no contract for the product that the request uses."
            "此合作夥伴未就該請求所用的產品簽約。"
            "此合作伙伴未就该请求所用的产品签约。"
        do "Check which products the contract covers, and ask the wallet operator to add this one."
            "請核對合約包含的產品，並聯絡錢包營運商開通此產品。"
            "请核对合约包含的产品，并联系钱包运营商开通此产品。";
    ANTI_PHISHING_KEY_TIMEOUT
        means "The anti-phishing key of the request has expired."
            "請求中的防釣魚密鑰已過期。"
            "请求中的防钓鱼密钥已过期。"
        do "Fetch a new anti-phishing key and send the request again."
            "請取得新的防釣魚密鑰，然後重新發送請求。"
            "请取得新的防钓鱼密钥，然后重新发送请求。";
    BEYOND_PAY_RESTRICTION
        means "The shop has reached the amount that it may receive today."
            "商戶今日的收款額已達上限。"
            "商户今日的收款额已达上限。"
        do "Take another means of payment, such as cash or card, or ask the wallet operator for a higher limit."
            "請改用現金或銀行卡等其他付款方式，或向錢包營運商申請提高限額。"
            "请改用现金或银行卡等其他付款方式，或向钱包运营商申请提高限额。";
    BEYOND_PER_RECEIPT_RESTRICTION
        means "The amount is above the limit of a single payment."
            "金額超出單筆付款的限額。"
            "金额超出单笔付款的限额。"
        do "Ask for a smaller amount or another means of payment."
            "請減少金額，或改用其他付款方式。"
            "请减少金额，或改用其他付款方式。";
    BUYER_BALANCE_NOT_ENOUGH
        means "The balance of the buyer's wallet is too low for this payment."
            "顧客的錢包餘額不足以支付這筆款項。"
            "顾客的钱包余额不足以支付这笔款项。"
        do "Ask the buyer to top up the wallet or to pay in another way."
            "請顧客為錢包增值，或改用其他付款方式。"
            "请顾客为钱包充值，或改用其他付款方式。";
    BUYER_BANKCARD_BALANCE_NOT_ENOUGH
        means "The bank card behind the wallet has too little money for this payment."
            "錢包所綁定的銀行卡餘額不足。"
            "钱包所绑定的银行卡余额不足。"
        do "Ask the buyer to choose another card or to pay in another way."
            "請顧客選用另一張銀行卡，或改用其他付款方式。"
            "请顾客选用另一张银行卡，或改用其他付款方式。";
    BUYER_ENABLE_STATUS_FORBID
        means "The buyer's wallet is not allowed to pay at present."
            "顧客的錢包目前不可付款。"
            "顾客的钱包目前不可付款。"
        do "Ask the buyer to pay in another way and to contact the wallet's customer service."
            "請顧客改用其他付款方式，並聯絡錢包的客戶服務。"
            "请顾客改用其他付款方式，并联系钱包的客服。";
    BUYER_NOT_EXIST
        means "There is no wallet that belongs to the code or id in the request."
            "找不到與請求中的付款碼或編號對應的錢包。"
            "找不到与请求中的付款码或编号对应的钱包。"
        do "Ask the buyer to refresh the payment code and scan it again."
            "請顧客更新付款碼，然後重新掃描。"
            "请顾客更新付款码，然后重新扫描。";
    BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR
        means "The buyer has reached the wallet's limit for today."
            "顧客今日的錢包付款額已達上限。"
            "顾客今日的钱包付款额已达上限。"
        do "Ask the buyer to pay in another way, or to raise the limit in the wallet app."
            "請顧客改用其他付款方式，或在錢包應用程式內調高限額。"
            "请顾客改用其他付款方式，或在钱包应用内调高限额。";
    BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR
        means "The buyer has reached the wallet's limit for this month."
            "顧客本月的錢包付款額已達上限。"
            "顾客本月的钱包付款额已达上限。"
        do "Ask the buyer to pay in another way, or to raise the limit in the wallet app."
            "請顧客改用其他付款方式，或在錢包應用程式內調高限額。"
            "请顾客改用其他付款方式，或在钱包应用内调高限额。";
    BUYER_SELLER_EQUAL
        means "The buyer and the seller are the same account."
            "買方與賣方是同一帳戶。"
            "买方与卖方是同一账户。"
        do "Let another wallet pay; nobody can pay themselves."
            "請用另一個錢包付款；不可向自己付款。"
            "请用另一个钱包付款；不可向自己付款。";
    CLIENT_VERSION_NOT_MATCH
        means "The buyer's wallet app is too old for this payment."
            "顧客的錢包應用程式版本過舊，不能進行這筆付款。"
            "顾客的钱包应用版本过旧，不能进行这笔付款。"
        do "Ask the buyer to update the wallet app and to show a fresh payment code."
            "請顧客更新錢包應用程式，然後出示新的付款碼。"
            "请顾客更新钱包应用，然后出示新的付款码。";
    CONTEXT_INCONSISTENT
        means "The same partner_trans_id was used before with other data, such as another amount."
            "同一個 partner_trans_id 曾以不同的資料（例如另一金額）使用過。"
            "同一个 partner_trans_id 曾以不同的数据（例如另一金额）使用过。"
        do "Query the first payment, and send a different sale under a new partner_trans_id."
            "請先查詢原有付款；不同的交易請使用新的 partner_trans_id。"
            "请先查询原有付款；不同的交易请使用新的 partner_trans_id。";
    CURRENCY_NOT_SAME
        means "The currency of the refund is not the currency of the payment."
            "退款的貨幣與原付款的貨幣不同。"
            "退款的币种与原付款的币种不同。"
        do "Send the refund in the currency in which the payment was priced."
            "請以原付款的標價貨幣提出退款。"
            "请以原付款的标价币种提出退款。";
    DATA_NOT_EXIST
        means "There is no such store."
            "沒有這間分店的記錄。"
            "没有这间门店的记录。"
        do "Check the ids of the secondary merchant and the store, and register the store if it is new."
            "請核對二級商戶編號及分店編號；如屬新分店，請先登記。"
            "请核对二级商户编号及门店编号；如属新门店，请先登记。";
    DISCORDANT_REPEAT_REQUEST
        means "The same refund or cancel was sent before with other data."
            "同一筆退款或撤銷曾以不同的資料發送過。"
            "同一笔退款或撤销曾以不同的数据发送过。"
        do "Repeat the request with the same data, or use a new refund id for another refund."
            "請以相同的資料重發請求；如屬另一筆退款，請使用新的退款編號。"
            "请以相同的数据重发请求；如属另一笔退款，请使用新的退款编号。";
    ERROR_BALANCE_PAYMENT_DISABLE
        means "The buyer has switched off payment from the balance."
            "顧客已關閉餘額付款功能。"
            "顾客已关闭余额付款功能。"
        do "Ask the buyer to switch on payment from the balance in the wallet app, or to pay in another way."
            "請顧客在錢包應用程式內開啟餘額付款，或改用其他付款方式。"
            "请顾客在钱包应用内开启余额付款，或改用其他付款方式。";
    ERROR_BUYER_CERTIFY_LEVEL_LIMIT
        means "The buyer has not proved their identity far enough for this payment."
            "顧客的身份認證級別不足以進行這筆付款。"
            "顾客的身份认证级别不足以进行这笔付款。"
        do "Ask the buyer to complete the identity check in the wallet app, or to pay in another way."
            "請顧客在錢包應用程式內完成身份認證，或改用其他付款方式。"
            "请顾客在钱包应用内完成身份认证，或改用其他付款方式。";
    ERROR_SELLER_CERTIFY_LEVEL_LIMIT
        means "The seller has not proved its identity far enough to receive this payment."
            "賣方的身份認證級別不足以收取這筆款項。"
            "卖方的身份认证级别不足以收取这笔款项。"
        do "Complete the identity check of the shop with the wallet operator."
            "請向錢包營運商完成商戶的身份認證。"
            "请向钱包运营商完成商户的身份认证。";
    EXCHANGE_AMOUNT_OR_CURRENCY_ERROR
        means "The amount or currency of the payment cannot be converted, or is not the one agreed in the contract."
            "付款的金額或貨幣無法兌換，或與合約訂明的不符。"
            "付款的金额或币种无法兑换，或与合约规定的不符。"
        do "Send the currency of the contract and an amount that is worth at least CNY 0.01."
            "請使用合約訂明的貨幣，金額須不少於人民幣 0.01 元。"
            "请使用合约规定的币种，金额须不少于人民币 0.01 元。";
    EXIST_FORBIDDEN_WORD
        means "A text of the request contains a word that is not allowed."
            "請求的文字中含有不允許使用的字詞。"
            "请求的文字中含有不允许使用的字词。"
        do "Change the name or description of the sale and send it again."
            "請修改商品名稱或說明，然後重新發送。"
            "请修改商品名称或说明，然后重新发送。";
    EXTERFACE_IS_CLOSED
        means "The service is closed at present."
            "此服務目前已關閉。"
            "此服务目前已关闭。"
        do "Ask the wallet operator when the service opens."
            "請向錢包營運商查詢服務何時開放。"
            "请向钱包运营商查询服务何时开放。";
    HAS_NO_PRIVILEGE
        means "This partner has no right to make this call."
            "此合作夥伴沒有調用此服務的權限。"
            "此合作伙伴没有调用此服务的权限。"
        do "Ask the wallet operator to grant the right."
            "請聯絡錢包營運商開通權限。"
            "请联系钱包运营商开通权限。";
    ILLEGAL_ACCESS_SWITCH_SYSTEM
        means "This partner may not reach the system behind the service."
            "此合作夥伴不可存取該服務的後台系統。"
            "此合作伙伴不可访问该服务的后台系统。"
        do "Ask the wallet operator to open the access."
            "請聯絡錢包營運商開通存取權限。"
            "请联系钱包运营商开通访问权限。";
    ILLEGAL_AGENT
        means "The agent id of the request is wrong."
            "請求中的代理商編號不正確。"
            "请求中的代理商编号不正确。"
        do "Check the agent id that was issued with the contract."
            "請核對簽約時獲發的代理商編號。"
            "请核对签约时获发的代理商编号。";
    ILLEGAL_ANTI_PHISHING_KEY
        means "The anti-phishing key of the request is wrong."
            "請求中的防釣魚密鑰不正確。"
            "请求中的防钓鱼密钥不正确。"
        do "Fetch a new anti-phishing key and send it unchanged."
            "請取得新的防釣魚密鑰，並原樣發送。"
            "请取得新的防钓鱼密钥，并原样发送。";
    ILLEGAL_ARGUMENT
        means "A required parameter is missing, or a parameter was given twice with different values."
            "缺少必填參數，或同一參數以不同的值出現了兩次。"
            "缺少必填参数，或同一参数以不同的值出现了两次。"
        do "Compare the request with the parameter list of the service, correct it and send it again."
            "請對照該服務的參數表，修正後重新發送。"
            "请对照该服务的参数表，修正后重新发送。";
    ILLEGAL_CHARSET
        means "The charset in _input_charset is not UTF-8, GBK or GB2312, or the text is not in it."
            "_input_charset 所指的編碼不是 UTF-8、GBK 或 GB2312，或文字並非該編碼。"
            "_input_charset 所指的编码不是 UTF-8、GBK 或 GB2312，或文字并非该编码。"
        do "Put _input_charset into the query of the URL and send every text in that charset."
            "請在網址的查詢部分加入 _input_charset，並以該編碼發送所有文字。"
            "请在网址的查询部分加入 _input_charset，并以该编码发送所有文字。";
    ILLEGAL_CLIENT_IP
        means "The address from which the request came is not on the partner's list."
            "請求的來源位址不在合作夥伴的許可名單內。"
            "请求的来源地址不在合作伙伴的白名单内。"
        do "Send from a listed address, or ask the wallet operator to add this one."
            "請由許可名單內的位址發送，或聯絡錢包營運商加入此位址。"
            "请由白名单内的地址发送，或联系钱包运营商加入此地址。";
    ILLEGAL_CURRENCY
        means "The currency of the request is wrong."
            "請求中的貨幣不正確。"
            "请求中的币种不正确。"
        do "Use a three-letter currency code that the contract allows."
            "請使用合約允許的三字母貨幣代碼。"
            "请使用合约允许的三字母币种代码。";
    ILLEGAL_DIGEST
        means "The digest of the file does not fit the file."
            "檔案的摘要與檔案內容不符。"
            "文件的摘要与文件内容不符。"
        do "Compute the digest over the bytes of the file that is sent."
            "請按實際發送的檔案內容重新計算摘要。"
            "请按实际发送的文件内容重新计算摘要。";
    ILLEGAL_DIGEST_TYPE
        means "The type of the file's digest is not known."
            "檔案的摘要類型不正確。"
            "文件的摘要类型不正确。"
        do "Use a type of digest that the service names."
            "請使用該服務訂明的摘要類型。"
            "请使用该服务规定的摘要类型。";
    ILLEGAL_DYN_MD5_KEY
        means "The dynamic MD5 key of the request is wrong."
            "請求所用的動態 MD5 密鑰不正確。"
            "请求所用的动态 MD5 密钥不正确。"
        do "Fetch the dynamic key again and sign with it."
            "請重新取得動態密鑰，並以其簽名。"
            "请重新取得动态密钥，并以其签名。";
    ILLEGAL_ENCODING
        means "The encoding of the file is wrong."
            "檔案的編碼不正確。"
            "文件的编码不正确。"
        do "Save the file in the encoding that the service names and send it again."
            "請以該服務訂明的編碼儲存檔案，然後重新發送。"
            "请以该服务规定的编码保存文件，然后重新发送。";
    ILLEGAL_ENCRYPT
        means "The encryption of the request is wrong."
            "請求的加密方式不正確。"
            "请求的加密方式不正确。"
        do "Check the encryption key and method agreed with the wallet operator."
            "請核對與錢包營運商約定的加密密鑰及方式。"
            "请核对与钱包运营商约定的加密密钥及方式。";
    ILLEGAL_EXTERFACE
        means "The service is not configured, or its name is wrong."
            "該服務未設定，或服務名稱不正確。"
            "该服务未配置，或服务名称不正确。"
        do "Check the value of service, letter by letter."
            "請逐字核對 service 參數的值。"
            "请逐字核对 service 参数的值。";
    ILLEGAL_EXTER_INVOKE_IP
        means "The buyer's address in the request is wrong."
            "請求中的顧客網絡位址不正確。"
            "请求中的顾客网络地址不正确。"
        do "Send the address from which the buyer's device calls."
            "請發送顧客裝置實際使用的網絡位址。"
            "请发送顾客装置实际使用的网络地址。";
    ILLEGAL_FILE_FORMAT
        means "The format of the file is wrong."
            "檔案格式不正確。"
            "文件格式不正确。"
        do "Build the file as the service describes it and send it again."
            "請按服務說明製作檔案，然後重新發送。"
            "请按服务说明制作文件，然后重新发送。";
    ILLEGAL_PARTNER
        means "There is no partner with the id in the request."
            "沒有與請求中的 partner 編號對應的合作夥伴。"
            "没有与请求中的 partner 编号对应的合作伙伴。"
        do "Check the 16-digit partner id, and that it belongs to this environment."
            "請核對 16 位的 partner 編號，並確認它屬於目前的環境。"
            "请核对 16 位的 partner 编号，并确认它属于目前的环境。";
    ILLEGAL_PARTNER_EXTERFACE
        means "This partner has no contract for the service."
            "此合作夥伴未就該服務簽約。"
            "此合作伙伴未就该服务签约。"
        do "Check the contract, and ask the wallet operator to add the service."
            "請核對合約，並聯絡錢包營運商開通該服務。"
            "请核对合约，并联系钱包运营商开通该服务。";
    ILLEGAL_REQUEST_REFERER
        means "The page from which the request came is not allowed."
            "請求的來源頁面不獲允許。"
            "请求的来源页面不被允许。"
        do "Start the call from a page that is registered with the wallet operator."
            "請由已向錢包營運商登記的頁面發起請求。"
            "请由已向钱包运营商登记的页面发起请求。";
    ILLEGAL_SECURITY_PROFILE
        means "No key is registered for the sign_type of the request."
            "沒有為請求的 sign_type 登記密鑰。"
            "没有为请求的 sign_type 登记密钥。"
        do "Upload the public key, or use the sign_type for which a key is registered."
            "請上載公鑰，或改用已登記密鑰的 sign_type。"
            "请上传公钥，或改用已登记密钥的 sign_type。";
    ILLEGAL_SERVICE
        means "There is no service with the name in the request."
            "沒有請求中所指名稱的服務。"
            "没有请求中所指名称的服务。"
        do "Check the value of service, letter by letter."
            "請逐字核對 service 參數的值。"
            "请逐字核对 service 参数的值。";
    ILLEGAL_SIGN
        means "The signature of the request does not verify."
            "請求的簽名未能通過驗證。"
            "请求的签名未能通过验证。"
        do "Check the key, the charset and the signed text: raw values, sorted by name, without sign and sign_type."
            "請檢查密鑰、編碼及待簽文字：使用原始值，按名稱排序，不含 sign 及 sign_type。"
            "请检查密钥、编码及待签文字：使用原始值，按名称排序，不含 sign 及 sign_type。";
    ILLEGAL_SIGN_TYPE
        means "The sign_type of the request is not MD5, RSA or RSA2."
            "請求的 sign_type 不是 MD5、RSA 或 RSA2。"
            "请求的 sign_type 不是 MD5、RSA 或 RSA2。"
        do "Write sign_type in upper case, as one of the three."
            "請以大寫填寫 sign_type，並只用這三個值之一。"
            "请以大写填写 sign_type，并只用这三个值之一。";
    ILLEGAL_TARGET_SERVICE
        means "The service behind the gateway could not be found."
            "閘道背後的目標服務無法找到。"
            "网关背后的目标服务无法找到。"
        do "Send the same request again later, and tell the wallet operator if it stays so."
            "請稍後重發相同的請求；如持續出現，請通知錢包營運商。"
            "请稍后重发相同的请求；如持续出现，请通知钱包运营商。";
    ILLEGAL_TIMEOUT_RULE
        means "The value of timeout_rule is wrong."
            "timeout_rule 的值不正確。"
            "timeout_rule 的值不正确。"
        do "Use a value of timeout_rule that the service lists."
            "請使用該服務列出的 timeout_rule 值。"
            "请使用该服务列出的 timeout_rule 值。";
    ILLEGAL_USER
        means "The user id in the request is wrong."
            "請求中的用戶編號不正確。"
            "请求中的用户编号不正确。"
        do "Check the 16-digit id of the account."
            "請核對 16 位的帳戶編號。"
            "请核对 16 位的账户编号。";
    INVALID_CHARACTER_SET
        means "The charset of the request is not valid."
            "請求的字元編碼無效。"
            "请求的字符编码无效。"
        do "Use UTF-8, GBK or GB2312 in _input_charset."
            "請在 _input_charset 使用 UTF-8、GBK 或 GB2312。"
            "请在 _input_charset 使用 UTF-8、GBK 或 GB2312。";
    INVALID_PARAMETER
        means "A parameter of the request has a wrong value."
            "請求中有參數的值不正確。"
            "请求中有参数的值不正确。"
        do "Correct the value and send the request again."
            "請修正該值，然後重新發送請求。"
            "请修正该值，然后重新发送请求。";
    INVALID_STORE_ID
        means "The store in the request is not registered."
            "請求中的分店未登記。"
            "请求中的门店未登记。"
        do "Register the store under its secondary merchant, then pay again."
            "請先在二級商戶下登記分店，然後重新付款。"
            "请先在二级商户下登记门店，然后重新付款。";
}
