// Made from messages.proto by `npm run generate`; change that file, not this one.
/* eslint-disable require-yield */
import { decodeMessage, encodeMessage, MaxLengthError, message, streamMessage } from 'protons-runtime';
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc';
export var AskHoldingsRequest;
(function (AskHoldingsRequest) {
    let _codec;
    AskHoldingsRequest.codec = () => {
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
                            if (obj.contents.length === 256) {
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
                    contents: 256
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            if (opts.limits?.contents != null && obj.contents === opts.limits.contents) {
                                throw new MaxLengthError('Streaming decode error - repeated field "contents" had too many elements');
                            }
                            if (obj.contents === 256) {
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
        return encodeMessage(obj, AskHoldingsRequest.codec());
    }
    AskHoldingsRequest.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, AskHoldingsRequest.codec(), opts);
    }
    AskHoldingsRequest.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, AskHoldingsRequest.codec(), opts);
    }
    AskHoldingsRequest.stream = stream;
})(AskHoldingsRequest || (AskHoldingsRequest = {}));
export var AskHoldingsResponse;
(function (AskHoldingsResponse) {
    let _codec;
    AskHoldingsResponse.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if ((obj.held != null && obj.held.byteLength > 0)) {
                    w.uint32(10);
                    w.bytes(obj.held);
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    held: uint8ArrayAlloc(0)
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            obj.held = reader.bytes();
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
                                field: `${prefix}.held`,
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
        return encodeMessage(obj, AskHoldingsResponse.codec());
    }
    AskHoldingsResponse.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, AskHoldingsResponse.codec(), opts);
    }
    AskHoldingsResponse.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, AskHoldingsResponse.codec(), opts);
    }
    AskHoldingsResponse.stream = stream;
})(AskHoldingsResponse || (AskHoldingsResponse = {}));
export var TellHoldingsRequest;
(function (TellHoldingsRequest) {
    let _codec;
    TellHoldingsRequest.codec = () => {
        if (_codec == null) {
            _codec = message((obj, w, opts = {}) => {
                if (opts.lengthDelimited !== false) {
                    w.fork();
                }
                if (obj.held != null && obj.held.length > 0) {
                    for (const value of obj.held) {
                        w.uint32(10);
                        w.bytes(value);
                    }
                }
                if (obj.gone != null && obj.gone.length > 0) {
                    for (const value of obj.gone) {
                        w.uint32(18);
                        w.bytes(value);
                    }
                }
                if (opts.lengthDelimited !== false) {
                    w.ldelim();
                }
            }, (reader, length, opts = {}) => {
                const obj = {
                    held: [],
                    gone: []
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            if (opts.limits?.held != null && obj.held.length === opts.limits.held) {
                                throw new MaxLengthError('Decode error - repeated field "held" had too many elements');
                            }
                            if (obj.held.length === 64) {
                                throw new MaxLengthError('Decode error - repeated field "held" had too many elements');
                            }
                            obj.held.push(reader.bytes());
                            break;
                        }
                        case 2: {
                            if (opts.limits?.gone != null && obj.gone.length === opts.limits.gone) {
                                throw new MaxLengthError('Decode error - repeated field "gone" had too many elements');
                            }
                            if (obj.gone.length === 64) {
                                throw new MaxLengthError('Decode error - repeated field "gone" had too many elements');
                            }
                            obj.gone.push(reader.bytes());
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
                    held: 64,
                    gone: 64
                };
                const end = length == null ? reader.len : reader.pos + length;
                while (reader.pos < end) {
                    const tag = reader.uint32();
                    switch (tag >>> 3) {
                        case 1: {
                            if (opts.limits?.held != null && obj.held === opts.limits.held) {
                                throw new MaxLengthError('Streaming decode error - repeated field "held" had too many elements');
                            }
                            if (obj.held === 64) {
                                throw new MaxLengthError('Streaming decode error - repeated field "held" had too many elements');
                            }
                            yield {
                                field: `${prefix}.held[]`,
                                index: obj.held,
                                value: reader.bytes()
                            };
                            obj.held++;
                            break;
                        }
                        case 2: {
                            if (opts.limits?.gone != null && obj.gone === opts.limits.gone) {
                                throw new MaxLengthError('Streaming decode error - repeated field "gone" had too many elements');
                            }
                            if (obj.gone === 64) {
                                throw new MaxLengthError('Streaming decode error - repeated field "gone" had too many elements');
                            }
                            yield {
                                field: `${prefix}.gone[]`,
                                index: obj.gone,
                                value: reader.bytes()
                            };
                            obj.gone++;
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
        return encodeMessage(obj, TellHoldingsRequest.codec());
    }
    TellHoldingsRequest.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, TellHoldingsRequest.codec(), opts);
    }
    TellHoldingsRequest.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, TellHoldingsRequest.codec(), opts);
    }
    TellHoldingsRequest.stream = stream;
})(TellHoldingsRequest || (TellHoldingsRequest = {}));
export var TellHoldingsResponse;
(function (TellHoldingsResponse) {
    let _codec;
    TellHoldingsResponse.codec = () => {
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
        return encodeMessage(obj, TellHoldingsResponse.codec());
    }
    TellHoldingsResponse.encode = encode;
    function decode(buf, opts) {
        return decodeMessage(buf, TellHoldingsResponse.codec(), opts);
    }
    TellHoldingsResponse.decode = decode;
    function stream(buf, opts) {
        return streamMessage(buf, TellHoldingsResponse.codec(), opts);
    }
    TellHoldingsResponse.stream = stream;
})(TellHoldingsResponse || (TellHoldingsResponse = {}));
