// Made from messages.proto by `npm run generate`; change that file, not this one.
import { decodeMessage, encodeMessage, MaxLengthError, message, streamMessage } from 'protons-runtime';
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc';
export var ProofRequest;
(function (ProofRequest) {
    let _codec;
    ProofRequest.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.name != null && obj.name !== '')) {
                    w.uint32(10);
                    w.string(obj.name);
                }
                if ((obj.version != null && obj.version !== '')) {
                    w.uint32(18);
                    w.string(obj.version);
                }
                if ((obj.owner != null && obj.owner.byteLength > 0)) {
                    w.uint32(26);
                    w.bytes(obj.owner);
                }
                if ((obj.content != null && obj.content.byteLength > 0)) {
                    w.uint32(34);
                    w.bytes(obj.content);
                }
                if ((obj.nonce != null && obj.nonce.byteLength > 0)) {
                    w.uint32(42);
                    w.bytes(obj.nonce);
                }
                if (obj.nodes != null && obj.nodes.length > 0) {
                    for (const value of obj.nodes) {
                        w.uint32(50);
                        Place.codec().encode(value, w);
                    }
                }
                if (obj.sample != null) {
                    w.uint32(58);
                    Sample.codec().encode(obj.sample, w);
                }
                if ((obj.tell != null && obj.tell !== false)) {
                    w.uint32(64);
                    w.bool(obj.tell);
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
                    name: '',
                    version: '',
                    owner: uint8ArrayAlloc(0),
                    content: uint8ArrayAlloc(0),
                    nonce: uint8ArrayAlloc(0),
                    nodes: [],
                    tell: false,
                    traceparent: ''
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.name = reader.string();
                            break;
                        }
                        case 2: {
                            obj.version = reader.string();
                            break;
                        }
                        case 3: {
                            obj.owner = reader.bytes();
                            break;
                        }
                        case 4: {
                            obj.content = reader.bytes();
                            break;
                        }
                        case 5: {
                            obj.nonce = reader.bytes();
                            break;
                        }
                        case 6: {
                            if (opts.limits?.nodes != null && obj.nodes.length === opts.limits.nodes) {
                                throw new MaxLengthError('Decode error - repeated field "nodes" had too many elements');
                            }
                            if (obj.nodes.length === 16) {
                                throw new MaxLengthError('Decode error - repeated field "nodes" had too many elements');
                            }
                            obj.nodes.push(Place.codec().decode(reader, reader.uint32(), {
                                limits: opts.limits?.nodes$
                            }));
                            break;
                        }
                        case 7: {
                            obj.sample = Sample.codec().decode(reader, reader.uint32(), {
                                limits: opts.limits?.sample
                            });
                            break;
                        }
                        case 8: {
                            obj.tell = reader.bool();
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
                const obj = {
                    nodes: 16
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            yield {
                                field: `${prefix}.name`,
                                value: reader.string()
                            };
                            break;
                        }
                        case 2: {
                            yield {
                                field: `${prefix}.version`,
                                value: reader.string()
                            };
                            break;
                        }
                        case 3: {
                            yield {
                                field: `${prefix}.owner`,
                                value: reader.bytes()
                            };
                            break;
                        }
                        case 4: {
                            yield {
                                field: `${prefix}.content`,
                                value: reader.bytes()
                            };
                            break;
                        }
                        case 5: {
                            yield {
                                field: `${prefix}.nonce`,
                                value: reader.bytes()
                            };
                            break;
                        }
                        case 6: {
                            if (opts.limits?.nodes != null && obj.nodes === opts.limits.nodes) {
                                throw new MaxLengthError('Streaming decode error - repeated field "nodes" had too many elements');
                            }
                            if (obj.nodes === 16) {
                                throw new MaxLengthError('Streaming decode error - repeated field "nodes" had too many elements');
                            }
                            for (const evt of Place.codec().stream(reader, reader.uint32(), `${prefix}.nodes[]`, {
                                limits: opts.limits?.nodes$
                            })) {
                                yield {
                                    ...evt,
                                    index: obj.nodes
                                };
                            }
                            obj.nodes++;
                            break;
                        }
                        case 7: {
                            yield* Sample.codec().stream(reader, reader.uint32(), `${prefix}.sample`, {
                                limits: opts.limits?.sample
                            });
                            break;
                        }
                        case 8: {
                            yield {
                                field: `${prefix}.tell`,
                                value: reader.bool()
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
        return encodeMessage(obj, ProofRequest.codec());
    }
    ProofRequest.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, ProofRequest.codec(), opts);
    }
    ProofRequest.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, ProofRequest.codec(), opts);
    }
    ProofRequest.stream = stream;
})(ProofRequest || (ProofRequest = {}));
export var Place;
(function (Place) {
    let _codec;
    Place.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.level != null && obj.level !== 0)) {
                    w.uint32(8);
                    w.uint32(obj.level);
                }
                if ((obj.index != null && obj.index !== 0)) {
                    w.uint32(16);
                    w.uint32(obj.index);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    level: 0,
                    index: 0
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.level = reader.uint32();
                            break;
                        }
                        case 2: {
                            obj.index = reader.uint32();
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
                                field: `${prefix}.level`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        case 2: {
                            yield {
                                field: `${prefix}.index`,
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
        return encodeMessage(obj, Place.codec());
    }
    Place.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, Place.codec(), opts);
    }
    Place.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, Place.codec(), opts);
    }
    Place.stream = stream;
})(Place || (Place = {}));
export var Sample;
(function (Sample) {
    let _codec;
    Sample.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.page != null && obj.page !== 0)) {
                    w.uint32(8);
                    w.uint32(obj.page);
                }
                if ((obj.offset != null && obj.offset !== 0)) {
                    w.uint32(16);
                    w.uint64Number(obj.offset);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    page: 0,
                    offset: 0
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.page = reader.uint32();
                            break;
                        }
                        case 2: {
                            obj.offset = reader.uint64Number();
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
                                field: `${prefix}.page`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        case 2: {
                            yield {
                                field: `${prefix}.offset`,
                                value: reader.uint64Number()
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
        return encodeMessage(obj, Sample.codec());
    }
    Sample.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, Sample.codec(), opts);
    }
    Sample.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, Sample.codec(), opts);
    }
    Sample.stream = stream;
})(Sample || (Sample = {}));
export var Node;
(function (Node) {
    let _codec;
    Node.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.block != null && obj.block.byteLength > 0)) {
                    w.uint32(10);
                    w.bytes(obj.block);
                }
                if ((obj.weights != null && obj.weights.byteLength > 0)) {
                    w.uint32(18);
                    w.bytes(obj.weights);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    block: uint8ArrayAlloc(0),
                    weights: uint8ArrayAlloc(0)
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.block = reader.bytes();
                            break;
                        }
                        case 2: {
                            obj.weights = reader.bytes();
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
                                field: `${prefix}.block`,
                                value: reader.bytes()
                            };
                            break;
                        }
                        case 2: {
                            yield {
                                field: `${prefix}.weights`,
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
        return encodeMessage(obj, Node.codec());
    }
    Node.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, Node.codec(), opts);
    }
    Node.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, Node.codec(), opts);
    }
    Node.stream = stream;
})(Node || (Node = {}));
export var ProofResponse;
(function (ProofResponse) {
    let _codec;
    ProofResponse.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.status != null && obj.status !== 0)) {
                    w.uint32(8);
                    w.uint32(obj.status);
                }
                if ((obj.code != null && obj.code !== '')) {
                    w.uint32(18);
                    w.string(obj.code);
                }
                if ((obj.message != null && obj.message !== '')) {
                    w.uint32(26);
                    w.string(obj.message);
                }
                if ((obj.retryAfterMs != null && obj.retryAfterMs !== 0)) {
                    w.uint32(32);
                    w.uint32(obj.retryAfterMs);
                }
                if ((obj.digests != null && obj.digests.byteLength > 0)) {
                    w.uint32(42);
                    w.bytes(obj.digests);
                }
                if (obj.nodes != null && obj.nodes.length > 0) {
                    for (const value of obj.nodes) {
                        w.uint32(50);
                        Node.codec().encode(value, w);
                    }
                }
                if (obj.blocks != null && obj.blocks.length > 0) {
                    for (const value of obj.blocks) {
                        w.uint32(58);
                        w.bytes(value);
                    }
                }
                if ((obj.member != null && obj.member.byteLength > 0)) {
                    w.uint32(66);
                    w.bytes(obj.member);
                }
                if ((obj.demand != null && obj.demand.byteLength > 0)) {
                    w.uint32(74);
                    w.bytes(obj.demand);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    status: 0,
                    code: '',
                    message: '',
                    retryAfterMs: 0,
                    digests: uint8ArrayAlloc(0),
                    nodes: [],
                    blocks: [],
                    member: uint8ArrayAlloc(0),
                    demand: uint8ArrayAlloc(0)
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
                            obj.code = reader.string();
                            break;
                        }
                        case 3: {
                            obj.message = reader.string();
                            break;
                        }
                        case 4: {
                            obj.retryAfterMs = reader.uint32();
                            break;
                        }
                        case 5: {
                            obj.digests = reader.bytes();
                            break;
                        }
                        case 6: {
                            if (opts.limits?.nodes != null && obj.nodes.length === opts.limits.nodes) {
                                throw new MaxLengthError('Decode error - repeated field "nodes" had too many elements');
                            }
                            if (obj.nodes.length === 16) {
                                throw new MaxLengthError('Decode error - repeated field "nodes" had too many elements');
                            }
                            obj.nodes.push(Node.codec().decode(reader, reader.uint32(), {
                                limits: opts.limits?.nodes$
                            }));
                            break;
                        }
                        case 7: {
                            if (opts.limits?.blocks != null && obj.blocks.length === opts.limits.blocks) {
                                throw new MaxLengthError('Decode error - repeated field "blocks" had too many elements');
                            }
                            if (obj.blocks.length === 6) {
                                throw new MaxLengthError('Decode error - repeated field "blocks" had too many elements');
                            }
                            obj.blocks.push(reader.bytes());
                            break;
                        }
                        case 8: {
                            obj.member = reader.bytes();
                            break;
                        }
                        case 9: {
                            obj.demand = reader.bytes();
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
                    nodes: 16,
                    blocks: 6
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
                            yield {
                                field: `${prefix}.code`,
                                value: reader.string()
                            };
                            break;
                        }
                        case 3: {
                            yield {
                                field: `${prefix}.message`,
                                value: reader.string()
                            };
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
                                field: `${prefix}.digests`,
                                value: reader.bytes()
                            };
                            break;
                        }
                        case 6: {
                            if (opts.limits?.nodes != null && obj.nodes === opts.limits.nodes) {
                                throw new MaxLengthError('Streaming decode error - repeated field "nodes" had too many elements');
                            }
                            if (obj.nodes === 16) {
                                throw new MaxLengthError('Streaming decode error - repeated field "nodes" had too many elements');
                            }
                            for (const evt of Node.codec().stream(reader, reader.uint32(), `${prefix}.nodes[]`, {
                                limits: opts.limits?.nodes$
                            })) {
                                yield {
                                    ...evt,
                                    index: obj.nodes
                                };
                            }
                            obj.nodes++;
                            break;
                        }
                        case 7: {
                            if (opts.limits?.blocks != null && obj.blocks === opts.limits.blocks) {
                                throw new MaxLengthError('Streaming decode error - repeated field "blocks" had too many elements');
                            }
                            if (obj.blocks === 6) {
                                throw new MaxLengthError('Streaming decode error - repeated field "blocks" had too many elements');
                            }
                            yield {
                                field: `${prefix}.blocks[]`,
                                index: obj.blocks,
                                value: reader.bytes()
                            };
                            obj.blocks++;
                            break;
                        }
                        case 8: {
                            yield {
                                field: `${prefix}.member`,
                                value: reader.bytes()
                            };
                            break;
                        }
                        case 9: {
                            yield {
                                field: `${prefix}.demand`,
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
        return encodeMessage(obj, ProofResponse.codec());
    }
    ProofResponse.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, ProofResponse.codec(), opts);
    }
    ProofResponse.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, ProofResponse.codec(), opts);
    }
    ProofResponse.stream = stream;
})(ProofResponse || (ProofResponse = {}));
