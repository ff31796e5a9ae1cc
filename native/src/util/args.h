// Reading JavaScript arguments: types and lengths, because memory safety depends on them. Meaning is checked in TypeScript.
#pragma once

#include <napi.h>

#include <cstdint>
#include <cstring>
#include <string>

namespace tortie {

/** A view of a Uint8Array's memory; valid until control returns to JavaScript. */
struct Bytes {
  uint8_t* data = nullptr;
  size_t size = 0;
};

/** As a length: any will do. */
constexpr size_t kAnyLength = SIZE_MAX;

inline Bytes ToBytes(const Napi::Value& value, const char* name, size_t length = kAnyLength) {
  const Napi::Env env = value.Env();
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    throw Napi::TypeError::New(env, std::string(name) + " must be a Uint8Array");
  }
  auto array = value.As<Napi::Uint8Array>();
  const Bytes bytes{array.Data(), array.ByteLength()};
  if (length != kAnyLength && bytes.size != length) {
    throw Napi::RangeError::New(env, std::string(name) + " must be " + std::to_string(length) + " bytes, got " +
                                         std::to_string(bytes.size));
  }
  return bytes;
}

inline std::string ToText(const Napi::Value& value, const char* name) {
  if (!value.IsString()) throw Napi::TypeError::New(value.Env(), std::string(name) + " must be a string");
  std::string text = value.As<Napi::String>().Utf8Value();
  if (text.find('\0') != std::string::npos) {
    throw Napi::TypeError::New(value.Env(), std::string(name) + " must not contain a zero byte");
  }
  return text;
}

inline uint32_t ToUint32(const Napi::Value& value, const char* name) {
  if (!value.IsNumber()) throw Napi::TypeError::New(value.Env(), std::string(name) + " must be a number");
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= 0 && number <= UINT32_MAX) || number != static_cast<uint32_t>(number)) {
    throw Napi::RangeError::New(value.Env(), std::string(name) + " must be an integer from 0 to 4294967295");
  }
  return static_cast<uint32_t>(number);
}

inline Napi::Object ToObject(const Napi::Value& value, const char* name) {
  if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), std::string(name) + " must be an object");
  return value.As<Napi::Object>();
}

inline Napi::Function ToFunction(const Napi::Value& value, const char* name) {
  if (!value.IsFunction()) throw Napi::TypeError::New(value.Env(), std::string(name) + " must be a function");
  return value.As<Napi::Function>();
}

/** 'ingress' or 'egress', as true or false. */
inline bool ToIsIngress(const Napi::Value& value) {
  const std::string text = ToText(value, "direction");
  if (text == "ingress") return true;
  if (text == "egress") return false;
  throw Napi::TypeError::New(value.Env(), "direction must be 'ingress' or 'egress'");
}

inline Napi::Uint8Array FromBytes(Napi::Env env, const void* data, size_t size) {
  auto array = Napi::Uint8Array::New(env, size);
  if (size > 0) std::memcpy(array.Data(), data, size);
  return array;
}

}  // namespace tortie
