// Made from messages.proto by `npm run generate`; change that file, not this one.
import { decodeMessage, encodeMessage, MaxLengthError, message, streamMessage } from 'protons-runtime';
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc';
export var FindRequest;
(function (FindRequest) {
    let _codec;
    FindRequest.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.key != null && obj.key.byteLength > 0)) {
                    w.uint32(10);
                    w.bytes(obj.key);
                }
                if ((obj.maxProviders != null && obj.maxProviders !== 0)) {
                    w.uint32(16);
                    w.uint32(obj.maxProviders);
                }
                if ((obj.maxCloser != null && obj.maxCloser !== 0)) {
                    w.uint32(24);
                    w.uint32(obj.maxCloser);
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
                    key: uint8ArrayAlloc(0),
                    maxProviders: 0,
                    maxCloser: 0,
                    traceparent: ''
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.key = reader.bytes();
                            break;
                        }
                        case 2: {
                            obj.maxProviders = reader.uint32();
                            break;
                        }
                        case 3: {
                            obj.maxCloser = reader.uint32();
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
                                field: `${prefix}.key`,
                                value: reader.bytes()
                            };
                            break;
                        }
                        case 2: {
                            yield {
                                field: `${prefix}.maxProviders`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        case 3: {
                            yield {
                                field: `${prefix}.maxCloser`,
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
        return encodeMessage(obj, FindRequest.codec());
    }
    FindRequest.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, FindRequest.codec(), opts);
    }
    FindRequest.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, FindRequest.codec(), opts);
    }
    FindRequest.stream = stream;
})(FindRequest || (FindRequest = {}));
export var FindResponse;
(function (FindResponse) {
    let _codec;
    FindResponse.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.status != null && obj.status !== 0)) {
                    w.uint32(8);
                    w.uint32(obj.status);
                }
                if (obj.providers != null && obj.providers.length > 0) {
                    for (const value of obj.providers) {
                        w.uint32(18);
                        FoundProvider.codec().encode(value, w);
                    }
                }
                if (obj.closer != null && obj.closer.length > 0) {
                    for (const value of obj.closer) {
                        w.uint32(26);
                        CloserPeer.codec().encode(value, w);
                    }
                }
                if ((obj.retryAfterMs != null && obj.retryAfterMs !== 0)) {
                    w.uint32(32);
                    w.uint32(obj.retryAfterMs);
                }
                if ((obj.code != null && obj.code !== '')) {
                    w.uint32(42);
                    w.string(obj.code);
                }
                if ((obj.message != null && obj.message !== '')) {
                    w.uint32(50);
                    w.string(obj.message);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    status: 0,
                    providers: [],
                    closer: [],
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
                            if (opts.limits?.providers != null && obj.providers.length === opts.limits.providers) {
                                throw new MaxLengthError('Decode error - repeated field "providers" had too many elements');
                            }
                            if (obj.providers.length === 32) {
                                throw new MaxLengthError('Decode error - repeated field "providers" had too many elements');
                            }
                            obj.providers.push(FoundProvider.codec().decode(reader, reader.uint32(), {
                                limits: opts.limits?.providers$
                            }));
                            break;
                        }
                        case 3: {
                            if (opts.limits?.closer != null && obj.closer.length === opts.limits.closer) {
                                throw new MaxLengthError('Decode error - repeated field "closer" had too many elements');
                            }
                            if (obj.closer.length === 32) {
                                throw new MaxLengthError('Decode error - repeated field "closer" had too many elements');
                            }
                            obj.closer.push(CloserPeer.codec().decode(reader, reader.uint32(), {
                                limits: opts.limits?.closer$
                            }));
                            break;
                        }
                        case 4: {
                            obj.retryAfterMs = reader.uint32();
                            break;
                        }
                        case 5: {
                            obj.code = reader.string();
                            break;
                        }
                        case 6: {
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
                const obj = {
                    providers: 32,
                    closer: 32
                };
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
                            if (opts.limits?.providers != null && obj.providers === opts.limits.providers) {
                                throw new MaxLengthError('Streaming decode error - repeated field "providers" had too many elements');
                            }
                            if (obj.providers === 32) {
                                throw new MaxLengthError('Streaming decode error - repeated field "providers" had too many elements');
                            }
                            for (const evt of FoundProvider.codec().stream(reader, reader.uint32(), `${prefix}.providers[]`, {
                                limits: opts.limits?.providers$
                            })) {
                                yield {
                                    ...evt,
                                    index: obj.providers
                                };
                            }
                            obj.providers++;
                            break;
                        }
                        case 3: {
                            if (opts.limits?.closer != null && obj.closer === opts.limits.closer) {
                                throw new MaxLengthError('Streaming decode error - repeated field "closer" had too many elements');
                            }
                            if (obj.closer === 32) {
                                throw new MaxLengthError('Streaming decode error - repeated field "closer" had too many elements');
                            }
                            for (const evt of CloserPeer.codec().stream(reader, reader.uint32(), `${prefix}.closer[]`, {
                                limits: opts.limits?.closer$
                            })) {
                                yield {
                                    ...evt,
                                    index: obj.closer
                                };
                            }
                            obj.closer++;
                            break;
                        }
                        case 4: {
                            yield {
                                field: `${prefix}.retryAfterMs`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        case 5: {
                            yield {
                                field: `${prefix}.code`,
                                value: reader.string()
                            };
                            break;
                        }
                        case 6: {
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
        return encodeMessage(obj, FindResponse.codec());
    }
    FindResponse.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, FindResponse.codec(), opts);
    }
    FindResponse.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, FindResponse.codec(), opts);
    }
    FindResponse.stream = stream;
})(FindResponse || (FindResponse = {}));
export var FoundProvider;
(function (FoundProvider) {
    let _codec;
    FoundProvider.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.peerRecord != null && obj.peerRecord.byteLength > 0)) {
                    w.uint32(10);
                    w.bytes(obj.peerRecord);
                }
                if ((obj.ageS != null && obj.ageS !== 0)) {
                    w.uint32(16);
                    w.uint32(obj.ageS);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    peerRecord: uint8ArrayAlloc(0),
                    ageS: 0
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
                            obj.ageS = reader.uint32();
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
                                field: `${prefix}.ageS`,
                                value: reader.uint32()
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
        return encodeMessage(obj, FoundProvider.codec());
    }
    FoundProvider.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, FoundProvider.codec(), opts);
    }
    FoundProvider.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, FoundProvider.codec(), opts);
    }
    FoundProvider.stream = stream;
})(FoundProvider || (FoundProvider = {}));
export var CloserPeer;
(function (CloserPeer) {
    let _codec;
    CloserPeer.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.peerId != null && obj.peerId.byteLength > 0)) {
                    w.uint32(10);
                    w.bytes(obj.peerId);
                }
                if (obj.addresses != null && obj.addresses.length > 0) {
                    for (const value of obj.addresses) {
                        w.uint32(18);
                        w.bytes(value);
                    }
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    peerId: uint8ArrayAlloc(0),
                    addresses: []
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.peerId = reader.bytes();
                            break;
                        }
                        case 2: {
                            if (opts.limits?.addresses != null && obj.addresses.length === opts.limits.addresses) {
                                throw new MaxLengthError('Decode error - repeated field "addresses" had too many elements');
                            }
                            if (obj.addresses.length === 16) {
                                throw new MaxLengthError('Decode error - repeated field "addresses" had too many elements');
                            }
                            obj.addresses.push(reader.bytes());
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
                    addresses: 16
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            yield {
                                field: `${prefix}.peerId`,
                                value: reader.bytes()
                            };
                            break;
                        }
                        case 2: {
                            if (opts.limits?.addresses != null && obj.addresses === opts.limits.addresses) {
                                throw new MaxLengthError('Streaming decode error - repeated field "addresses" had too many elements');
                            }
                            if (obj.addresses === 16) {
                                throw new MaxLengthError('Streaming decode error - repeated field "addresses" had too many elements');
                            }
                            yield {
                                field: `${prefix}.addresses[]`,
                                index: obj.addresses,
                                value: reader.bytes()
                            };
                            obj.addresses++;
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
        return encodeMessage(obj, CloserPeer.codec());
    }
    CloserPeer.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, CloserPeer.codec(), opts);
    }
    CloserPeer.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, CloserPeer.codec(), opts);
    }
    CloserPeer.stream = stream;
})(CloserPeer || (CloserPeer = {}));
