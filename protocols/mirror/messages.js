// Made from messages.proto by `npm run generate`; change that file, not this one.
/* eslint-disable require-yield */
import { decodeMessage, encodeMessage, MaxLengthError, message, streamMessage } from 'protons-runtime';
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc';
export var SketchMembersRequest;
(function (SketchMembersRequest) {
    let _codec;
    SketchMembersRequest.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.cells != null && obj.cells !== 0)) {
                    w.uint32(8);
                    w.uint32(obj.cells);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    cells: 0
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.cells = reader.uint32();
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
                                field: `${prefix}.cells`,
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
        return encodeMessage(obj, SketchMembersRequest.codec());
    }
    SketchMembersRequest.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, SketchMembersRequest.codec(), opts);
    }
    SketchMembersRequest.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, SketchMembersRequest.codec(), opts);
    }
    SketchMembersRequest.stream = stream;
})(SketchMembersRequest || (SketchMembersRequest = {}));
export var SketchMembersResponse;
(function (SketchMembersResponse) {
    let _codec;
    SketchMembersResponse.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.records != null && obj.records !== 0)) {
                    w.uint32(8);
                    w.uint32(obj.records);
                }
                if ((obj.cells != null && obj.cells.byteLength > 0)) {
                    w.uint32(18);
                    w.bytes(obj.cells);
                }
                if ((obj.counts != null && obj.counts.byteLength > 0)) {
                    w.uint32(26);
                    w.bytes(obj.counts);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    records: 0,
                    cells: uint8ArrayAlloc(0),
                    counts: uint8ArrayAlloc(0)
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.records = reader.uint32();
                            break;
                        }
                        case 2: {
                            obj.cells = reader.bytes();
                            break;
                        }
                        case 3: {
                            obj.counts = reader.bytes();
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
                                field: `${prefix}.records`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        case 2: {
                            yield {
                                field: `${prefix}.cells`,
                                value: reader.bytes()
                            };
                            break;
                        }
                        case 3: {
                            yield {
                                field: `${prefix}.counts`,
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
        return encodeMessage(obj, SketchMembersResponse.codec());
    }
    SketchMembersResponse.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, SketchMembersResponse.codec(), opts);
    }
    SketchMembersResponse.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, SketchMembersResponse.codec(), opts);
    }
    SketchMembersResponse.stream = stream;
})(SketchMembersResponse || (SketchMembersResponse = {}));
export var ExchangeMembersRequest;
(function (ExchangeMembersRequest) {
    let _codec;
    ExchangeMembersRequest.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.wanted != null && obj.wanted.byteLength > 0)) {
                    w.uint32(10);
                    w.bytes(obj.wanted);
                }
                if (obj.records != null && obj.records.length > 0) {
                    for (const value of obj.records) {
                        w.uint32(18);
                        w.bytes(value);
                    }
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    wanted: uint8ArrayAlloc(0),
                    records: []
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.wanted = reader.bytes();
                            break;
                        }
                        case 2: {
                            if (opts.limits?.records != null && obj.records.length === opts.limits.records) {
                                throw new MaxLengthError('Decode error - repeated field "records" had too many elements');
                            }
                            if (obj.records.length === 512) {
                                throw new MaxLengthError('Decode error - repeated field "records" had too many elements');
                            }
                            obj.records.push(reader.bytes());
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
                    records: 512
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            yield {
                                field: `${prefix}.wanted`,
                                value: reader.bytes()
                            };
                            break;
                        }
                        case 2: {
                            if (opts.limits?.records != null && obj.records === opts.limits.records) {
                                throw new MaxLengthError('Streaming decode error - repeated field "records" had too many elements');
                            }
                            if (obj.records === 512) {
                                throw new MaxLengthError('Streaming decode error - repeated field "records" had too many elements');
                            }
                            yield {
                                field: `${prefix}.records[]`,
                                index: obj.records,
                                value: reader.bytes()
                            };
                            obj.records++;
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
        return encodeMessage(obj, ExchangeMembersRequest.codec());
    }
    ExchangeMembersRequest.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, ExchangeMembersRequest.codec(), opts);
    }
    ExchangeMembersRequest.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, ExchangeMembersRequest.codec(), opts);
    }
    ExchangeMembersRequest.stream = stream;
})(ExchangeMembersRequest || (ExchangeMembersRequest = {}));
export var ExchangeMembersResponse;
(function (ExchangeMembersResponse) {
    let _codec;
    ExchangeMembersResponse.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if (obj.records != null && obj.records.length > 0) {
                    for (const value of obj.records) {
                        w.uint32(10);
                        w.bytes(value);
                    }
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    records: []
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            if (opts.limits?.records != null && obj.records.length === opts.limits.records) {
                                throw new MaxLengthError('Decode error - repeated field "records" had too many elements');
                            }
                            if (obj.records.length === 512) {
                                throw new MaxLengthError('Decode error - repeated field "records" had too many elements');
                            }
                            obj.records.push(reader.bytes());
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
                    records: 512
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            if (opts.limits?.records != null && obj.records === opts.limits.records) {
                                throw new MaxLengthError('Streaming decode error - repeated field "records" had too many elements');
                            }
                            if (obj.records === 512) {
                                throw new MaxLengthError('Streaming decode error - repeated field "records" had too many elements');
                            }
                            yield {
                                field: `${prefix}.records[]`,
                                index: obj.records,
                                value: reader.bytes()
                            };
                            obj.records++;
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
        return encodeMessage(obj, ExchangeMembersResponse.codec());
    }
    ExchangeMembersResponse.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, ExchangeMembersResponse.codec(), opts);
    }
    ExchangeMembersResponse.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, ExchangeMembersResponse.codec(), opts);
    }
    ExchangeMembersResponse.stream = stream;
})(ExchangeMembersResponse || (ExchangeMembersResponse = {}));
export var TellDemandRequest;
(function (TellDemandRequest) {
    let _codec;
    TellDemandRequest.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.summary != null && obj.summary.byteLength > 0)) {
                    w.uint32(10);
                    w.bytes(obj.summary);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    summary: uint8ArrayAlloc(0)
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.summary = reader.bytes();
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
                                field: `${prefix}.summary`,
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
        return encodeMessage(obj, TellDemandRequest.codec());
    }
    TellDemandRequest.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, TellDemandRequest.codec(), opts);
    }
    TellDemandRequest.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, TellDemandRequest.codec(), opts);
    }
    TellDemandRequest.stream = stream;
})(TellDemandRequest || (TellDemandRequest = {}));
export var TellDemandResponse;
(function (TellDemandResponse) {
    let _codec;
    TellDemandResponse.codec = () => {
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
        return encodeMessage(obj, TellDemandResponse.codec());
    }
    TellDemandResponse.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, TellDemandResponse.codec(), opts);
    }
    TellDemandResponse.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, TellDemandResponse.codec(), opts);
    }
    TellDemandResponse.stream = stream;
})(TellDemandResponse || (TellDemandResponse = {}));
export var WantedReleasesRequest;
(function (WantedReleasesRequest) {
    let _codec;
    WantedReleasesRequest.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if (obj.contents != null && obj.contents.length > 0) {
                    for (const value of obj.contents) {
                        w.uint32(10);
                        w.bytes(value);
                    }
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    contents: []
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            if (opts.limits?.contents != null && obj.contents.length === opts.limits.contents) {
                                throw new MaxLengthError('Decode error - repeated field "contents" had too many elements');
                            }
                            if (obj.contents.length === 32) {
                                throw new MaxLengthError('Decode error - repeated field "contents" had too many elements');
                            }
                            obj.contents.push(reader.bytes());
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
                    contents: 32
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            if (opts.limits?.contents != null && obj.contents === opts.limits.contents) {
                                throw new MaxLengthError('Streaming decode error - repeated field "contents" had too many elements');
                            }
                            if (obj.contents === 32) {
                                throw new MaxLengthError('Streaming decode error - repeated field "contents" had too many elements');
                            }
                            yield {
                                field: `${prefix}.contents[]`,
                                index: obj.contents,
                                value: reader.bytes()
                            };
                            obj.contents++;
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
        return encodeMessage(obj, WantedReleasesRequest.codec());
    }
    WantedReleasesRequest.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, WantedReleasesRequest.codec(), opts);
    }
    WantedReleasesRequest.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, WantedReleasesRequest.codec(), opts);
    }
    WantedReleasesRequest.stream = stream;
})(WantedReleasesRequest || (WantedReleasesRequest = {}));
export var WantedReleasesResponse;
(function (WantedReleasesResponse) {
    let _codec;
    WantedReleasesResponse.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if (obj.records != null && obj.records.length > 0) {
                    for (const value of obj.records) {
                        w.uint32(10);
                        w.bytes(value);
                    }
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    records: []
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            if (opts.limits?.records != null && obj.records.length === opts.limits.records) {
                                throw new MaxLengthError('Decode error - repeated field "records" had too many elements');
                            }
                            if (obj.records.length === 64) {
                                throw new MaxLengthError('Decode error - repeated field "records" had too many elements');
                            }
                            obj.records.push(reader.bytes());
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
                    records: 64
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            if (opts.limits?.records != null && obj.records === opts.limits.records) {
                                throw new MaxLengthError('Streaming decode error - repeated field "records" had too many elements');
                            }
                            if (obj.records === 64) {
                                throw new MaxLengthError('Streaming decode error - repeated field "records" had too many elements');
                            }
                            yield {
                                field: `${prefix}.records[]`,
                                index: obj.records,
                                value: reader.bytes()
                            };
                            obj.records++;
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
        return encodeMessage(obj, WantedReleasesResponse.codec());
    }
    WantedReleasesResponse.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, WantedReleasesResponse.codec(), opts);
    }
    WantedReleasesResponse.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, WantedReleasesResponse.codec(), opts);
    }
    WantedReleasesResponse.stream = stream;
})(WantedReleasesResponse || (WantedReleasesResponse = {}));
export var OfferReleaseRequest;
(function (OfferReleaseRequest) {
    let _codec;
    OfferReleaseRequest.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.record != null && obj.record.byteLength > 0)) {
                    w.uint32(10);
                    w.bytes(obj.record);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    record: uint8ArrayAlloc(0)
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.record = reader.bytes();
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
                                field: `${prefix}.record`,
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
        return encodeMessage(obj, OfferReleaseRequest.codec());
    }
    OfferReleaseRequest.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, OfferReleaseRequest.codec(), opts);
    }
    OfferReleaseRequest.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, OfferReleaseRequest.codec(), opts);
    }
    OfferReleaseRequest.stream = stream;
})(OfferReleaseRequest || (OfferReleaseRequest = {}));
export var OfferReleaseResponse;
(function (OfferReleaseResponse) {
    let _codec;
    OfferReleaseResponse.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.refusal != null && obj.refusal !== 0)) {
                    w.uint32(8);
                    w.uint32(obj.refusal);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    refusal: 0
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.refusal = reader.uint32();
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
                                field: `${prefix}.refusal`,
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
        return encodeMessage(obj, OfferReleaseResponse.codec());
    }
    OfferReleaseResponse.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, OfferReleaseResponse.codec(), opts);
    }
    OfferReleaseResponse.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, OfferReleaseResponse.codec(), opts);
    }
    OfferReleaseResponse.stream = stream;
})(OfferReleaseResponse || (OfferReleaseResponse = {}));
