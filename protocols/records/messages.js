// Made from messages.proto by `npm run generate`; change that file, not this one.
import { decodeMessage, encodeMessage, MaxLengthError, message, streamMessage } from 'protons-runtime';
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc';
export var GetRecordsRequest;
(function (GetRecordsRequest) {
    let _codec;
    GetRecordsRequest.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if (obj.ids != null && obj.ids.length > 0) {
                    for (const value of obj.ids) {
                        w.uint32(10);
                        w.bytes(value);
                    }
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    ids: []
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            if (opts.limits?.ids != null && obj.ids.length === opts.limits.ids) {
                                throw new MaxLengthError('Decode error - repeated field "ids" had too many elements');
                            }
                            if (obj.ids.length === 64) {
                                throw new MaxLengthError('Decode error - repeated field "ids" had too many elements');
                            }
                            obj.ids.push(reader.bytes());
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
                    ids: 64
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            if (opts.limits?.ids != null && obj.ids === opts.limits.ids) {
                                throw new MaxLengthError('Streaming decode error - repeated field "ids" had too many elements');
                            }
                            if (obj.ids === 64) {
                                throw new MaxLengthError('Streaming decode error - repeated field "ids" had too many elements');
                            }
                            yield {
                                field: `${prefix}.ids[]`,
                                index: obj.ids,
                                value: reader.bytes()
                            };
                            obj.ids++;
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
        return encodeMessage(obj, GetRecordsRequest.codec());
    }
    GetRecordsRequest.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, GetRecordsRequest.codec(), opts);
    }
    GetRecordsRequest.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, GetRecordsRequest.codec(), opts);
    }
    GetRecordsRequest.stream = stream;
})(GetRecordsRequest || (GetRecordsRequest = {}));
export var GetRecordsResponse;
(function (GetRecordsResponse) {
    let _codec;
    GetRecordsResponse.codec = () => {
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
                if ((obj.resumeAt != null && obj.resumeAt !== 0)) {
                    w.uint32(16);
                    w.uint32(obj.resumeAt);
                }
                if (obj.statements != null && obj.statements.length > 0) {
                    for (const value of obj.statements) {
                        w.uint32(26);
                        w.bytes(value);
                    }
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    records: [],
                    resumeAt: 0,
                    statements: []
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
                        case 2: {
                            obj.resumeAt = reader.uint32();
                            break;
                        }
                        case 3: {
                            if (opts.limits?.statements != null && obj.statements.length === opts.limits.statements) {
                                throw new MaxLengthError('Decode error - repeated field "statements" had too many elements');
                            }
                            if (obj.statements.length === 128) {
                                throw new MaxLengthError('Decode error - repeated field "statements" had too many elements');
                            }
                            obj.statements.push(reader.bytes());
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
                    records: 64,
                    statements: 128
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
                        case 2: {
                            yield {
                                field: `${prefix}.resumeAt`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        case 3: {
                            if (opts.limits?.statements != null && obj.statements === opts.limits.statements) {
                                throw new MaxLengthError('Streaming decode error - repeated field "statements" had too many elements');
                            }
                            if (obj.statements === 128) {
                                throw new MaxLengthError('Streaming decode error - repeated field "statements" had too many elements');
                            }
                            yield {
                                field: `${prefix}.statements[]`,
                                index: obj.statements,
                                value: reader.bytes()
                            };
                            obj.statements++;
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
        return encodeMessage(obj, GetRecordsResponse.codec());
    }
    GetRecordsResponse.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, GetRecordsResponse.codec(), opts);
    }
    GetRecordsResponse.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, GetRecordsResponse.codec(), opts);
    }
    GetRecordsResponse.stream = stream;
})(GetRecordsResponse || (GetRecordsResponse = {}));
export var ListReleasesRequest;
(function (ListReleasesRequest) {
    let _codec;
    ListReleasesRequest.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.name != null && obj.name !== '')) {
                    w.uint32(10);
                    w.string(obj.name);
                }
                if ((obj.after != null && obj.after.byteLength > 0)) {
                    w.uint32(18);
                    w.bytes(obj.after);
                }
                if ((obj.limit != null && obj.limit !== 0)) {
                    w.uint32(24);
                    w.uint32(obj.limit);
                }
                if ((obj.version != null && obj.version !== '')) {
                    w.uint32(34);
                    w.string(obj.version);
                }
                if ((obj.owner != null && obj.owner.byteLength > 0)) {
                    w.uint32(42);
                    w.bytes(obj.owner);
                }
                if ((obj.range != null && obj.range !== '')) {
                    w.uint32(50);
                    w.string(obj.range);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    name: '',
                    after: uint8ArrayAlloc(0),
                    limit: 0,
                    version: '',
                    owner: uint8ArrayAlloc(0),
                    range: ''
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
                            obj.after = reader.bytes();
                            break;
                        }
                        case 3: {
                            obj.limit = reader.uint32();
                            break;
                        }
                        case 4: {
                            obj.version = reader.string();
                            break;
                        }
                        case 5: {
                            obj.owner = reader.bytes();
                            break;
                        }
                        case 6: {
                            obj.range = reader.string();
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
                                field: `${prefix}.name`,
                                value: reader.string()
                            };
                            break;
                        }
                        case 2: {
                            yield {
                                field: `${prefix}.after`,
                                value: reader.bytes()
                            };
                            break;
                        }
                        case 3: {
                            yield {
                                field: `${prefix}.limit`,
                                value: reader.uint32()
                            };
                            break;
                        }
                        case 4: {
                            yield {
                                field: `${prefix}.version`,
                                value: reader.string()
                            };
                            break;
                        }
                        case 5: {
                            yield {
                                field: `${prefix}.owner`,
                                value: reader.bytes()
                            };
                            break;
                        }
                        case 6: {
                            yield {
                                field: `${prefix}.range`,
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
        return encodeMessage(obj, ListReleasesRequest.codec());
    }
    ListReleasesRequest.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, ListReleasesRequest.codec(), opts);
    }
    ListReleasesRequest.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, ListReleasesRequest.codec(), opts);
    }
    ListReleasesRequest.stream = stream;
})(ListReleasesRequest || (ListReleasesRequest = {}));
export var ListReleasesResponse;
(function (ListReleasesResponse) {
    let _codec;
    ListReleasesResponse.codec = () => {
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
                if ((obj.next != null && obj.next.byteLength > 0)) {
                    w.uint32(18);
                    w.bytes(obj.next);
                }
                if (obj.statements != null && obj.statements.length > 0) {
                    for (const value of obj.statements) {
                        w.uint32(26);
                        w.bytes(value);
                    }
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    records: [],
                    next: uint8ArrayAlloc(0),
                    statements: []
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
                        case 2: {
                            obj.next = reader.bytes();
                            break;
                        }
                        case 3: {
                            if (opts.limits?.statements != null && obj.statements.length === opts.limits.statements) {
                                throw new MaxLengthError('Decode error - repeated field "statements" had too many elements');
                            }
                            if (obj.statements.length === 128) {
                                throw new MaxLengthError('Decode error - repeated field "statements" had too many elements');
                            }
                            obj.statements.push(reader.bytes());
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
                    records: 64,
                    statements: 128
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
                        case 2: {
                            yield {
                                field: `${prefix}.next`,
                                value: reader.bytes()
                            };
                            break;
                        }
                        case 3: {
                            if (opts.limits?.statements != null && obj.statements === opts.limits.statements) {
                                throw new MaxLengthError('Streaming decode error - repeated field "statements" had too many elements');
                            }
                            if (obj.statements === 128) {
                                throw new MaxLengthError('Streaming decode error - repeated field "statements" had too many elements');
                            }
                            yield {
                                field: `${prefix}.statements[]`,
                                index: obj.statements,
                                value: reader.bytes()
                            };
                            obj.statements++;
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
        return encodeMessage(obj, ListReleasesResponse.codec());
    }
    ListReleasesResponse.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, ListReleasesResponse.codec(), opts);
    }
    ListReleasesResponse.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, ListReleasesResponse.codec(), opts);
    }
    ListReleasesResponse.stream = stream;
})(ListReleasesResponse || (ListReleasesResponse = {}));
