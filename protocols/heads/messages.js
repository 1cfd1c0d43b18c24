// Made from messages.proto by `npm run generate`; change that file, not this one.
/* eslint-disable require-yield */
import { decodeMessage, encodeMessage, MaxLengthError, message, streamMessage } from 'protons-runtime';
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc';
export var WatchHeadsRequest;
(function (WatchHeadsRequest) {
    let _codec;
    WatchHeadsRequest.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if (obj.libraries != null && obj.libraries.length > 0) {
                    for (const value of obj.libraries) {
                        w.uint32(10);
                        w.bytes(value);
                    }
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    libraries: []
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            if (opts.limits?.libraries != null && obj.libraries.length === opts.limits.libraries) {
                                throw new MaxLengthError('Decode error - repeated field "libraries" had too many elements');
                            }
                            if (obj.libraries.length === 1024) {
                                throw new MaxLengthError('Decode error - repeated field "libraries" had too many elements');
                            }
                            obj.libraries.push(reader.bytes());
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
                    libraries: 1024
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            if (opts.limits?.libraries != null && obj.libraries === opts.limits.libraries) {
                                throw new MaxLengthError('Streaming decode error - repeated field "libraries" had too many elements');
                            }
                            if (obj.libraries === 1024) {
                                throw new MaxLengthError('Streaming decode error - repeated field "libraries" had too many elements');
                            }
                            yield {
                                field: `${prefix}.libraries[]`,
                                index: obj.libraries,
                                value: reader.bytes()
                            };
                            obj.libraries++;
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
        return encodeMessage(obj, WatchHeadsRequest.codec());
    }
    WatchHeadsRequest.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, WatchHeadsRequest.codec(), opts);
    }
    WatchHeadsRequest.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, WatchHeadsRequest.codec(), opts);
    }
    WatchHeadsRequest.stream = stream;
})(WatchHeadsRequest || (WatchHeadsRequest = {}));
export var WatchHeadsResponse;
(function (WatchHeadsResponse) {
    let _codec;
    WatchHeadsResponse.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if (obj.heads != null && obj.heads.length > 0) {
                    for (const value of obj.heads) {
                        w.uint32(10);
                        w.bytes(value);
                    }
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    heads: []
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            if (opts.limits?.heads != null && obj.heads.length === opts.limits.heads) {
                                throw new MaxLengthError('Decode error - repeated field "heads" had too many elements');
                            }
                            if (obj.heads.length === 256) {
                                throw new MaxLengthError('Decode error - repeated field "heads" had too many elements');
                            }
                            obj.heads.push(reader.bytes());
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
                    heads: 256
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            if (opts.limits?.heads != null && obj.heads === opts.limits.heads) {
                                throw new MaxLengthError('Streaming decode error - repeated field "heads" had too many elements');
                            }
                            if (obj.heads === 256) {
                                throw new MaxLengthError('Streaming decode error - repeated field "heads" had too many elements');
                            }
                            yield {
                                field: `${prefix}.heads[]`,
                                index: obj.heads,
                                value: reader.bytes()
                            };
                            obj.heads++;
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
        return encodeMessage(obj, WatchHeadsResponse.codec());
    }
    WatchHeadsResponse.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, WatchHeadsResponse.codec(), opts);
    }
    WatchHeadsResponse.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, WatchHeadsResponse.codec(), opts);
    }
    WatchHeadsResponse.stream = stream;
})(WatchHeadsResponse || (WatchHeadsResponse = {}));
export var NewHeadRequest;
(function (NewHeadRequest) {
    let _codec;
    NewHeadRequest.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.head != null && obj.head.byteLength > 0)) {
                    w.uint32(10);
                    w.bytes(obj.head);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    head: uint8ArrayAlloc(0)
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.head = reader.bytes();
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
                                field: `${prefix}.head`,
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
        return encodeMessage(obj, NewHeadRequest.codec());
    }
    NewHeadRequest.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, NewHeadRequest.codec(), opts);
    }
    NewHeadRequest.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, NewHeadRequest.codec(), opts);
    }
    NewHeadRequest.stream = stream;
})(NewHeadRequest || (NewHeadRequest = {}));
export var NewHeadResponse;
(function (NewHeadResponse) {
    let _codec;
    NewHeadResponse.codec = () => {
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
        return encodeMessage(obj, NewHeadResponse.codec());
    }
    NewHeadResponse.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, NewHeadResponse.codec(), opts);
    }
    NewHeadResponse.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, NewHeadResponse.codec(), opts);
    }
    NewHeadResponse.stream = stream;
})(NewHeadResponse || (NewHeadResponse = {}));
