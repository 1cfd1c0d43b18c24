// Made from messages.proto by `npm run generate`; change that file, not this one.
import { decodeMessage, encodeMessage, MaxLengthError, message, streamMessage } from 'protons-runtime';
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc';
export var Open;
(function (Open) {
    let _codec;
    Open.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.record != null && obj.record.byteLength > 0)) {
                    w.uint32(10);
                    w.bytes(obj.record);
                }
                if (obj.codecs != null && obj.codecs.length > 0) {
                    for (const value of obj.codecs) {
                        w.uint32(16);
                        w.uint32(value);
                    }
                }
                if ((obj.priority != null && obj.priority !== 0)) {
                    w.uint32(24);
                    w.uint32(obj.priority);
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
                    record: uint8ArrayAlloc(0),
                    codecs: [],
                    priority: 0,
                    traceparent: ''
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.record = reader.bytes();
                            break;
                        }
                        case 2: {
                            if (opts.limits?.codecs != null && obj.codecs.length === opts.limits.codecs) {
                                throw new MaxLengthError('Decode error - repeated field "codecs" had too many elements');
                            }
                            if (obj.codecs.length === 16) {
                                throw new MaxLengthError('Decode error - repeated field "codecs" had too many elements');
                            }
                            obj.codecs.push(reader.uint32());
                            break;
                        }
                        case 3: {
                            obj.priority = reader.uint32();
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
                    codecs: 16
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            yield {
                                field: `${prefix}.record`,
                                value: reader.bytes()
                            };
                            break;
                        }
                        case 2: {
                            if (opts.limits?.codecs != null && obj.codecs === opts.limits.codecs) {
                                throw new MaxLengthError('Streaming decode error - repeated field "codecs" had too many elements');
                            }
                            if (obj.codecs === 16) {
                                throw new MaxLengthError('Streaming decode error - repeated field "codecs" had too many elements');
                            }
                            yield {
                                field: `${prefix}.codecs[]`,
                                index: obj.codecs,
                                value: reader.uint32()
                            };
                            obj.codecs++;
                            break;
                        }
                        case 3: {
                            yield {
                                field: `${prefix}.priority`,
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
        return encodeMessage(obj, Open.codec());
    }
    Open.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, Open.codec(), opts);
    }
    Open.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, Open.codec(), opts);
    }
    Open.stream = stream;
})(Open || (Open = {}));
export var Run;
(function (Run) {
    let _codec;
    Run.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.part != null && obj.part !== 0)) {
                    w.uint32(8);
                    w.uint32(obj.part);
                }
                if ((obj.page != null && obj.page !== 0)) {
                    w.uint32(16);
                    w.uint32(obj.page);
                }
                if ((obj.slot != null && obj.slot !== 0)) {
                    w.uint32(24);
                    w.uint32(obj.slot);
                }
                if ((obj.level != null && obj.level !== 0)) {
                    w.uint32(32);
                    w.uint32(obj.level);
                }
                if ((obj.first != null && obj.first !== 0)) {
                    w.uint32(40);
                    w.uint32(obj.first);
                }
                if ((obj.count != null && obj.count !== 0)) {
                    w.uint32(48);
                    w.uint32(obj.count);
                }
                if ((obj.top != null && obj.top !== false)) {
                    w.uint32(56);
                    w.bool(obj.top);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    part: 0,
                    page: 0,
                    slot: 0,
                    level: 0,
                    first: 0,
                    count: 0,
                    top: false
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.part = reader.uint32();
                            break;
                        }
                        case 2: {
                            obj.page = reader.uint32();
                            break;
                        }
                        case 3: {
                            obj.slot = reader.uint32();
                            break;
                        }
                        case 4: {
                            obj.level = reader.uint32();
                            break;
                        }
                        case 5: {
                            obj.first = reader.uint32();
                            break;
                        }
                        case 6: {
                            obj.count = reader.uint32();
                            break;
                        }
                        case 7: {
                            obj.top = reader.bool();
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
                                field: `${prefix}.part`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        case 2: {
                            yield {
                                field: `${prefix}.page`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        case 3: {
                            yield {
                                field: `${prefix}.slot`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        case 4: {
                            yield {
                                field: `${prefix}.level`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        case 5: {
                            yield {
                                field: `${prefix}.first`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        case 6: {
                            yield {
                                field: `${prefix}.count`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        case 7: {
                            yield {
                                field: `${prefix}.top`,
                                value: reader.bool()
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
        return encodeMessage(obj, Run.codec());
    }
    Run.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, Run.codec(), opts);
    }
    Run.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, Run.codec(), opts);
    }
    Run.stream = stream;
})(Run || (Run = {}));
export var Range;
(function (Range) {
    let _codec;
    Range.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.id != null && obj.id !== 0)) {
                    w.uint32(8);
                    w.uint32(obj.id);
                }
                if (obj.runs != null && obj.runs.length > 0) {
                    for (const value of obj.runs) {
                        w.uint32(18);
                        Run.codec().encode(value, w);
                    }
                }
                if ((obj.have != null && obj.have !== false)) {
                    w.uint32(24);
                    w.bool(obj.have);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    id: 0,
                    runs: [],
                    have: false
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.id = reader.uint32();
                            break;
                        }
                        case 2: {
                            if (opts.limits?.runs != null && obj.runs.length === opts.limits.runs) {
                                throw new MaxLengthError('Decode error - repeated field "runs" had too many elements');
                            }
                            if (obj.runs.length === 256) {
                                throw new MaxLengthError('Decode error - repeated field "runs" had too many elements');
                            }
                            obj.runs.push(Run.codec().decode(reader, reader.uint32(), {
                                limits: opts.limits?.runs$
                            }));
                            break;
                        }
                        case 3: {
                            obj.have = reader.bool();
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
                    runs: 256
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            yield {
                                field: `${prefix}.id`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        case 2: {
                            if (opts.limits?.runs != null && obj.runs === opts.limits.runs) {
                                throw new MaxLengthError('Streaming decode error - repeated field "runs" had too many elements');
                            }
                            if (obj.runs === 256) {
                                throw new MaxLengthError('Streaming decode error - repeated field "runs" had too many elements');
                            }
                            for (const evt of Run.codec().stream(reader, reader.uint32(), `${prefix}.runs[]`, {
                                limits: opts.limits?.runs$
                            })) {
                                yield {
                                    ...evt,
                                    index: obj.runs
                                };
                            }
                            obj.runs++;
                            break;
                        }
                        case 3: {
                            yield {
                                field: `${prefix}.have`,
                                value: reader.bool()
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
        return encodeMessage(obj, Range.codec());
    }
    Range.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, Range.codec(), opts);
    }
    Range.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, Range.codec(), opts);
    }
    Range.stream = stream;
})(Range || (Range = {}));
export var Block;
(function (Block) {
    let _codec;
    Block.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.codec != null && obj.codec !== 0)) {
                    w.uint32(8);
                    w.uint32(obj.codec);
                }
                if ((obj.storedLength != null && obj.storedLength !== 0)) {
                    w.uint32(16);
                    w.uint32(obj.storedLength);
                }
                if ((obj.rawLength != null && obj.rawLength !== 0)) {
                    w.uint32(24);
                    w.uint32(obj.rawLength);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    codec: 0,
                    storedLength: 0,
                    rawLength: 0
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.codec = reader.uint32();
                            break;
                        }
                        case 2: {
                            obj.storedLength = reader.uint32();
                            break;
                        }
                        case 3: {
                            obj.rawLength = reader.uint32();
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
                                field: `${prefix}.codec`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        case 2: {
                            yield {
                                field: `${prefix}.storedLength`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        case 3: {
                            yield {
                                field: `${prefix}.rawLength`,
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
        return encodeMessage(obj, Block.codec());
    }
    Block.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, Block.codec(), opts);
    }
    Block.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, Block.codec(), opts);
    }
    Block.stream = stream;
})(Block || (Block = {}));
export var Have;
(function (Have) {
    let _codec;
    Have.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.manifest != null && obj.manifest !== false)) {
                    w.uint32(8);
                    w.bool(obj.manifest);
                }
                if ((obj.units != null && obj.units.byteLength > 0)) {
                    w.uint32(18);
                    w.bytes(obj.units);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    manifest: false,
                    units: uint8ArrayAlloc(0)
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.manifest = reader.bool();
                            break;
                        }
                        case 2: {
                            obj.units = reader.bytes();
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
                                field: `${prefix}.manifest`,
                                value: reader.bool()
                            };
                            break;
                        }
                        case 2: {
                            yield {
                                field: `${prefix}.units`,
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
        return encodeMessage(obj, Have.codec());
    }
    Have.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, Have.codec(), opts);
    }
    Have.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, Have.codec(), opts);
    }
    Have.stream = stream;
})(Have || (Have = {}));
export var Answer;
(function (Answer) {
    let _codec;
    Answer.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.id != null && obj.id !== 0)) {
                    w.uint32(8);
                    w.uint32(obj.id);
                }
                if ((obj.status != null && obj.status !== 0)) {
                    w.uint32(16);
                    w.uint32(obj.status);
                }
                if (obj.blocks != null && obj.blocks.length > 0) {
                    for (const value of obj.blocks) {
                        w.uint32(26);
                        Block.codec().encode(value, w);
                    }
                }
                if ((obj.code != null && obj.code !== '')) {
                    w.uint32(34);
                    w.string(obj.code);
                }
                if ((obj.message != null && obj.message !== '')) {
                    w.uint32(42);
                    w.string(obj.message);
                }
                if ((obj.retryAfterMs != null && obj.retryAfterMs !== 0)) {
                    w.uint32(48);
                    w.uint32(obj.retryAfterMs);
                }
                if (obj.have != null) {
                    w.uint32(58);
                    Have.codec().encode(obj.have, w);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    id: 0,
                    status: 0,
                    blocks: [],
                    code: '',
                    message: '',
                    retryAfterMs: 0
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.id = reader.uint32();
                            break;
                        }
                        case 2: {
                            obj.status = reader.uint32();
                            break;
                        }
                        case 3: {
                            if (opts.limits?.blocks != null && obj.blocks.length === opts.limits.blocks) {
                                throw new MaxLengthError('Decode error - repeated field "blocks" had too many elements');
                            }
                            if (obj.blocks.length === 1024) {
                                throw new MaxLengthError('Decode error - repeated field "blocks" had too many elements');
                            }
                            obj.blocks.push(Block.codec().decode(reader, reader.uint32(), {
                                limits: opts.limits?.blocks$
                            }));
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
                        case 6: {
                            obj.retryAfterMs = reader.uint32();
                            break;
                        }
                        case 7: {
                            obj.have = Have.codec().decode(reader, reader.uint32(), {
                                limits: opts.limits?.have
                            });
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
                    blocks: 1024
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            yield {
                                field: `${prefix}.id`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        case 2: {
                            yield {
                                field: `${prefix}.status`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        case 3: {
                            if (opts.limits?.blocks != null && obj.blocks === opts.limits.blocks) {
                                throw new MaxLengthError('Streaming decode error - repeated field "blocks" had too many elements');
                            }
                            if (obj.blocks === 1024) {
                                throw new MaxLengthError('Streaming decode error - repeated field "blocks" had too many elements');
                            }
                            for (const evt of Block.codec().stream(reader, reader.uint32(), `${prefix}.blocks[]`, {
                                limits: opts.limits?.blocks$
                            })) {
                                yield {
                                    ...evt,
                                    index: obj.blocks
                                };
                            }
                            obj.blocks++;
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
                        case 6: {
                            yield {
                                field: `${prefix}.retryAfterMs`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        case 7: {
                            yield* Have.codec().stream(reader, reader.uint32(), `${prefix}.have`, {
                                limits: opts.limits?.have
                            });
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
        return encodeMessage(obj, Answer.codec());
    }
    Answer.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, Answer.codec(), opts);
    }
    Answer.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, Answer.codec(), opts);
    }
    Answer.stream = stream;
})(Answer || (Answer = {}));
