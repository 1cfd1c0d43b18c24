// Made from messages.proto by `npm run generate`; change that file, not this one.
/* eslint-disable require-yield */
import { decodeMessage, encodeMessage, MaxLengthError, message, streamMessage } from 'protons-runtime';
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc';
export var GiveReceiptRequest;
(function (GiveReceiptRequest) {
    let _codec;
    GiveReceiptRequest.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.receipt != null && obj.receipt.byteLength > 0)) {
                    w.uint32(10);
                    w.bytes(obj.receipt);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    receipt: uint8ArrayAlloc(0)
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.receipt = reader.bytes();
                            break;
                        }
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
                return obj;
            }, function* (reader, length, prefix, opts = {}) {
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            yield {
                                field: `${prefix}.receipt`,
                                value: reader.bytes()
                            };
                            break;
                        }
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
            });
        }
        return _codec;
    };
    function encode(obj) {
        return encodeMessage(obj, GiveReceiptRequest.codec());
    }
    GiveReceiptRequest.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, GiveReceiptRequest.codec(), opts);
    }
    GiveReceiptRequest.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, GiveReceiptRequest.codec(), opts);
    }
    GiveReceiptRequest.stream = stream;
})(GiveReceiptRequest || (GiveReceiptRequest = {}));
export var GiveReceiptResponse;
(function (GiveReceiptResponse) {
    let _codec;
    GiveReceiptResponse.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {};
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
                return obj;
            }, function* (reader, length, prefix, opts = {}) {
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
            });
        }
        return _codec;
    };
    function encode(obj) {
        return encodeMessage(obj, GiveReceiptResponse.codec());
    }
    GiveReceiptResponse.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, GiveReceiptResponse.codec(), opts);
    }
    GiveReceiptResponse.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, GiveReceiptResponse.codec(), opts);
    }
    GiveReceiptResponse.stream = stream;
})(GiveReceiptResponse || (GiveReceiptResponse = {}));
export var ShowReceiptsRequest;
(function (ShowReceiptsRequest) {
    let _codec;
    ShowReceiptsRequest.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {};
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
                return obj;
            }, function* (reader, length, prefix, opts = {}) {
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
            });
        }
        return _codec;
    };
    function encode(obj) {
        return encodeMessage(obj, ShowReceiptsRequest.codec());
    }
    ShowReceiptsRequest.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, ShowReceiptsRequest.codec(), opts);
    }
    ShowReceiptsRequest.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, ShowReceiptsRequest.codec(), opts);
    }
    ShowReceiptsRequest.stream = stream;
})(ShowReceiptsRequest || (ShowReceiptsRequest = {}));
export var ShowReceiptsResponse;
(function (ShowReceiptsResponse) {
    let _codec;
    ShowReceiptsResponse.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if (obj.receipts != null && obj.receipts.length > 0) {
                    for (const value of obj.receipts) {
                        w.uint32(10);
                        w.bytes(value);
                    }
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    receipts: []
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            if (opts.limits?.receipts != null && obj.receipts.length === opts.limits.receipts) {
                                throw new MaxLengthError('Decode error - repeated field "receipts" had too many elements');
                            }
                            if (obj.receipts.length === 16) {
                                throw new MaxLengthError('Decode error - repeated field "receipts" had too many elements');
                            }
                            obj.receipts.push(reader.bytes());
                            break;
                        }
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
                return obj;
            }, function* (reader, length, prefix, opts = {}) {
                const obj = {
                    receipts: 16
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            if (opts.limits?.receipts != null && obj.receipts === opts.limits.receipts) {
                                throw new MaxLengthError('Streaming decode error - repeated field "receipts" had too many elements');
                            }
                            if (obj.receipts === 16) {
                                throw new MaxLengthError('Streaming decode error - repeated field "receipts" had too many elements');
                            }
                            yield {
                                field: `${prefix}.receipts[]`,
                                index: obj.receipts,
                                value: reader.bytes()
                            };
                            obj.receipts++;
                            break;
                        }
                        default: {
                            reader.skipType(tag & 7);
                            break;
                        }
                    }
                }
            });
        }
        return _codec;
    };
    function encode(obj) {
        return encodeMessage(obj, ShowReceiptsResponse.codec());
    }
    ShowReceiptsResponse.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, ShowReceiptsResponse.codec(), opts);
    }
    ShowReceiptsResponse.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, ShowReceiptsResponse.codec(), opts);
    }
    ShowReceiptsResponse.stream = stream;
})(ShowReceiptsResponse || (ShowReceiptsResponse = {}));
