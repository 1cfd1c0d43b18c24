// Made from messages.proto by `npm run generate`; change that file, not this one.
import { decodeMessage, encodeMessage, message, streamMessage } from 'protons-runtime';
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc';
export var ProvideRequest;
(function (ProvideRequest) {
    let _codec;
    ProvideRequest.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.peerRecord != null && obj.peerRecord.byteLength > 0)) {
                    w.uint32(10);
                    w.bytes(obj.peerRecord);
                }
                if ((obj.keys != null && obj.keys.byteLength > 0)) {
                    w.uint32(18);
                    w.bytes(obj.keys);
                }
                if ((obj.lifetimeS != null && obj.lifetimeS !== 0)) {
                    w.uint32(24);
                    w.uint32(obj.lifetimeS);
                }
                if ((obj.traceparent != null && obj.traceparent !== '')) {
                    w.uint32(106);
                    w.string(obj.traceparent);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    peerRecord: uint8ArrayAlloc(0),
                    keys: uint8ArrayAlloc(0),
                    lifetimeS: 0,
                    traceparent: ''
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.peerRecord = reader.bytes();
                            break;
                        }
                        case 2: {
                            obj.keys = reader.bytes();
                            break;
                        }
                        case 3: {
                            obj.lifetimeS = reader.uint32();
                            break;
                        }
                        case 13: {
                            obj.traceparent = reader.string();
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
                                field: `${prefix}.peerRecord`,
                                value: reader.bytes()
                            };
                            break;
                        }
                        case 2: {
                            yield {
                                field: `${prefix}.keys`,
                                value: reader.bytes()
                            };
                            break;
                        }
                        case 3: {
                            yield {
                                field: `${prefix}.lifetimeS`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        case 13: {
                            yield {
                                field: `${prefix}.traceparent`,
                                value: reader.string()
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
        return encodeMessage(obj, ProvideRequest.codec());
    }
    ProvideRequest.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, ProvideRequest.codec(), opts);
    }
    ProvideRequest.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, ProvideRequest.codec(), opts);
    }
    ProvideRequest.stream = stream;
})(ProvideRequest || (ProvideRequest = {}));
export var ProvideResponse;
(function (ProvideResponse) {
    let _codec;
    ProvideResponse.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.status != null && obj.status !== 0)) {
                    w.uint32(8);
                    w.uint32(obj.status);
                }
                if ((obj.verdicts != null && obj.verdicts.byteLength > 0)) {
                    w.uint32(18);
                    w.bytes(obj.verdicts);
                }
                if ((obj.retryAfterMs != null && obj.retryAfterMs !== 0)) {
                    w.uint32(24);
                    w.uint32(obj.retryAfterMs);
                }
                if ((obj.code != null && obj.code !== '')) {
                    w.uint32(34);
                    w.string(obj.code);
                }
                if ((obj.message != null && obj.message !== '')) {
                    w.uint32(42);
                    w.string(obj.message);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    status: 0,
                    verdicts: uint8ArrayAlloc(0),
                    retryAfterMs: 0,
                    code: '',
                    message: ''
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.status = reader.uint32();
                            break;
                        }
                        case 2: {
                            obj.verdicts = reader.bytes();
                            break;
                        }
                        case 3: {
                            obj.retryAfterMs = reader.uint32();
                            break;
                        }
                        case 4: {
                            obj.code = reader.string();
                            break;
                        }
                        case 5: {
                            obj.message = reader.string();
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
                                field: `${prefix}.status`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        case 2: {
                            yield {
                                field: `${prefix}.verdicts`,
                                value: reader.bytes()
                            };
                            break;
                        }
                        case 3: {
                            yield {
                                field: `${prefix}.retryAfterMs`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        case 4: {
                            yield {
                                field: `${prefix}.code`,
                                value: reader.string()
                            };
                            break;
                        }
                        case 5: {
                            yield {
                                field: `${prefix}.message`,
                                value: reader.string()
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
        return encodeMessage(obj, ProvideResponse.codec());
    }
    ProvideResponse.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, ProvideResponse.codec(), opts);
    }
    ProvideResponse.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, ProvideResponse.codec(), opts);
    }
    ProvideResponse.stream = stream;
})(ProvideResponse || (ProvideResponse = {}));
